#include "gaussian/lattice.hpp"
#include <algorithm>
#include <array>
#include <boost/math/constants/constants.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <cstdint>

namespace loradyn {
namespace {

// Of Kuo's lattice-32001-1024-1048576.3600, which is good for every power of two up to 2^20 and in
// the first of its dimensions together.
constexpr std::array<std::uint32_t, normal_lattice::max_dimension> generator{
    1,      182667, 469891, 498753, 110745, 446247, 250185, 118627, 245333, 283199, 408519,
    391023, 246327, 126539, 399185, 461527, 300343, 69681,  516695, 436179, 106383, 238523,
    413283, 70841,  47719,  300129, 113029, 123925, 410745, 211325, 17489,  511893, 40767,
    186077, 519471, 255369, 101819, 243573, 66189,  152143, 503455, 113217, 132603, 463967,
    297717, 157383, 224015, 502917, 36237,  94049,  170665, 79397,  123963, 223451, 323871,
    303633, 98567,  318855, 494245, 477137, 177975, 64483,  26695,  88779};

// A uniform number in (0, 1) from a counter: SplitMix64.
double uniform(std::uint64_t counter) {
  std::uint64_t z = (counter + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (static_cast<double>(z >> 12) + 0.5) * 0x1p-52;
}

}  // namespace

std::span<const double> normal_lattice::coordinate(std::size_t dimension) const {
  const std::lock_guard lock(mutex_);
  std::vector<double>& x = coordinates_[dimension];
  if (x.empty()) {
    x.reserve(points * shifts);
    for (std::size_t s = 0; s < shifts; ++s) {
      const double shift = uniform(s * max_dimension + dimension);
      for (std::size_t i = 0; i < points; ++i) {
        const std::uint64_t place = (i * generator[dimension]) % points;
        double u = static_cast<double>(place) / static_cast<double>(points) + shift;
        u -= std::floor(u);
        // Folded onto (0, 1), without its ends.
        const double folded = std::clamp(1.0 - std::abs(2.0 * u - 1.0), 0x1p-53, 1.0 - 0x1p-53);
        x.push_back(-boost::math::constants::root_two<double>() *
                    boost::math::erfc_inv(2.0 * folded));
      }
    }
  }
  return x;
}

}  // namespace loradyn
