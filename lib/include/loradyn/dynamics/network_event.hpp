#pragma once

/// \file
/// Events on the overlaps of a network.

#include <cstddef>
#include <loradyn/dynamics/integrate.hpp>
#include <loradyn/dynamics/network_flow.hpp>
#include <loradyn/names.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace loradyn {

/// The quantity that an event is told by; without an entry, m is the largest |<V_a, T_i>| and M the
/// mean over the neurons of |<W_j, T_i>|, i = (j - 1) mod k + 1 its own target.
enum class network_overlap_quantity { m, M, U, S, risk, source_risk };

/// Their names.
inline constexpr name_table<network_overlap_quantity, 6> network_overlap_quantities{
    {{"m", network_overlap_quantity::m},
     {"M", network_overlap_quantity::M},
     {"U", network_overlap_quantity::U},
     {"S", network_overlap_quantity::S},
     {"risk", network_overlap_quantity::risk},
     {"source-risk", network_overlap_quantity::source_risk}}};

/// A quantity reaches a value. Overlaps are taken in absolute value unless they are signed. m: from
/// below; the risk: from above; all others from either side.
struct network_overlap_event {
  network_overlap_quantity quantity = network_overlap_quantity::m;
  double at = 0.5;
  bool is_signed = false;
  /// Row and column counted from 1: of m adapter and target, of M neuron and target, of U neuron
  /// and adapter, of S two adapters. U and S have one.
  std::optional<std::pair<std::ptrdiff_t, std::ptrdiff_t>> entry;

  /// \throws argument_error where `at` is not finite, an entry is missing, not of this network, or
  ///         told of a risk, or the flow has no source task
  void validate(const network_flow& f) const;
};

/// The event of a quantity's name, such as "M" or "source-risk", or of an entry's, such as "M_1_2";
/// nothing where it is neither. Whether a network has the entry is for `validate` to say.
std::optional<network_overlap_event> network_event_named(std::string_view name);

/// What it takes, for messages.
std::string network_event_names();

/// The event's quantity as text: its name, or an entry, such as M_1_2.
std::string to_text(const network_overlap_event& event);

/// The quantity at a state.
double value_of(const network_flow& f, const network_overlap_event& event, const network_state& x);

/// The mean over the neurons of <W_j, T_i>, i = (j - 1) mod k + 1, or of its absolute value.
double mean_overlap(const network_overlaps& o, bool is_signed);

/// The event for a run of f from x, with the direction in which it must pass. Refers to f, which
/// must outlive it. The value is NaN where the flow has none.
ode_event<any_dimension> event_of(const network_flow& f, const network_overlap_event& event,
                                  const network_state& x);

/// Whether the event is already met.
bool met_by(const ode_event<any_dimension>& event, const network_flow& f, const network_state& x);

}  // namespace loradyn
