#pragma once

/// \file
/// Functions of a Gaussian pair's polar coordinates as piecewise Chebyshev sums, made where they
/// are first asked for. Internal to the library.

#include <cstddef>
#include <functional>
#include <loradyn/activation/activation.hpp>
#include <memory>
#include <span>
#include <vector>

namespace loradyn {

/// Up to two functions F(r, θ) of a standard pair (X, Y), Var X = r², Var Y = 1 and correlation
/// cos θ, that cost much: kernels by quadrature. In these coordinates a kernel of activations that
/// are smooth between their kinks is analytic up to the edges (docs/theory.md, section 3).
///
/// The plane is cut into half octaves of r, and these further until sums of Chebyshev
/// polynomials of r times the basis in θ hold F: the last coefficients are below 1e-13 of the
/// largest |F| of the patch or of the terms that F is summed of, or all at the rounding of F. A
/// patch is made by the first caller that comes there; the others wait for it. Its bits depend on F
/// alone, not on who came first. Safe from any thread.
class polar_patches {
 public:
  /// Chebyshev polynomials in each direction.
  static constexpr std::size_t radial_nodes = 14;
  static constexpr std::size_t angular_nodes = 16;
  /// Powers of the correlation.
  static constexpr std::size_t powers = 32;
  static constexpr std::size_t max_functions = 2;

  /// F at one r and several angles, out[k * θ.size() + i]; or, for a basis of powers, the
  /// coefficients of ρⁿ, out[k * powers + n], with no angle given. sizes[k] is that of the terms
  /// that F_k is summed of, whose rounding F_k has; 0 where the values tell.
  using sampler = std::function<void(double r, std::span<const double> theta, std::span<double> out,
                                     std::span<double> sizes)>;

  /// Chebyshev polynomials of θ on [0, widest], where the sampler may be dear.
  static polar_patches angular(std::size_t functions, double widest, sampler f);

  /// Powers of ρ = cos θ, |ρ| <= largest: they keep the digits of what vanishes with ρ.
  static polar_patches correlation(std::size_t functions, double largest, sampler f);

  ~polar_patches();
  polar_patches(polar_patches&&) noexcept;
  polar_patches& operator=(polar_patches&&) noexcept;

  /// F at (r, t), t the angle or the correlation. False where r is out of [2^-40, 2^11], or F is
  /// not resolved by patches of a reasonable size: the caller has to do without. \throws
  /// interrupted while a patch is made
  bool values(double r, double t, std::span<double> F) const;

  /// The same with ∂F/∂r and ∂F/∂t.
  bool with_slopes(double r, double t, std::span<double> F, std::span<double> by_r,
                   std::span<double> by_t) const;

 private:
  struct plan;
  struct patch;
  explicit polar_patches(std::unique_ptr<plan> p);

  std::unique_ptr<plan> plan_;
};

/// Functions of the overlaps (M, Q) of a student's and a teacher's field, by patches: powers of the
/// correlation where it is small, angles to ±w* elsewhere and where no series ends.
class polar_functions {
 public:
  /// The functions for X of variance r² and the given correlations, of gaps r²(1 - ρ²):
  /// out[k * count + i]; sizes as in polar_patches.
  using sampler =
      std::function<void(double r, std::span<const double> c, std::span<const double> gap,
                         std::span<double> out, std::span<double> sizes)>;

  /// \param series  the coefficients of powers of the correlation (polar_patches)
  /// \param student, teacher  the kinks. Where a line of kinks of the one turns into one of the
  ///        other, |w| = t/t*, F has an essential singularity at the edge, and no patch is tried
  ///        near it.
  polar_functions(std::size_t functions, const sampler& f, polar_patches::sampler series,
                  std::span<const kink> student, std::span<const kink> teacher);

  /// F at the overlaps; false where there is no patch (polar_patches).
  bool values(double M, double Q, double gap, std::span<double> F) const;

  /// F and its derivatives by M and by the gap, each at fixed other, as near as Newton's method and
  /// the stiff steppers need them: from a gap of 1e-8 Q on. What lies nearer to the edge has the
  /// derivatives there, since a quotient by √gap would have few digits.
  bool with_slopes(double M, double Q, double gap, std::span<double> F, std::span<double> by_M,
                   std::span<double> by_gap) const;

 private:
  // The patches of a point with a patch, and the place in them.
  struct place {
    const polar_patches* patches;
    double t;    // the correlation, or the angle from where the patches begin
    double t_M;  // ∂t/∂M and ∂t/∂h
    double t_h;
  };
  // Calls found(place) for the sets that may have a patch, until it returns true.
  template <class Found>
  bool any_place(double M, double r, double h, const Found& found) const;

  // Whether M/r is that of two lines of kinks about to meet.
  [[nodiscard]] bool near_meeting(double r, double angle, bool along) const;

  std::vector<double> meetings_;  // M at the edge
  polar_patches along_;           // M > 0
  polar_patches against_;         // M < 0
  polar_patches across_;          // |M| small, powers of the correlation
  polar_patches between_;         // the same, angles
};

}  // namespace loradyn
