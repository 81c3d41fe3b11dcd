#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/simulation/available_memory.hpp>
#include <loradyn/study/resources.hpp>
#include <loradyn/sweep/range.hpp>

namespace loradyn::study {
namespace {

std::string size_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.3g} MB", bytes * 1e-6)
                     : fmt::format("{:.3g} GB", bytes * 1e-9);
}

// Refuses where `needed` is more than `limit`.
void require_within(std::span<const extent> extents, double needed, double limit,
                    const std::string& why) {
  if (!(needed > limit)) {
    return;
  }
  const auto largest =
      std::max_element(extents.begin(), extents.end(), [](const extent& a, const extent& b) {
        return !b.option.empty() && (a.option.empty() || a.count < b.count);
      });
  const double fits = std::floor(largest->count * (limit / needed));
  throw argument_error(largest->option, "'" + largest->value + "'",
                       fits < 1.0 ? fmt::format("smaller, and not it alone: {}", why)
                       : largest->counts
                           ? fmt::format("at most {:.3g} here: {}", fits, why)
                           : fmt::format("of at most {:.3g} values here: {}", fits, why));
}

}  // namespace

void require_affordable(std::span<const extent> extents, const unit_cost& each, double most) {
  double count = 1.0;
  for (const extent& e : extents) {
    count *= e.count;
  }
  require_within(
      extents, count, most,
      fmt::format("{:.4g} {} are asked for, and {:.4g} are the most", count, each.name, most));
  const double bytes = count * each.bytes;
  const double free = available_memory();
  require_within(extents, bytes, free,
                 fmt::format("{:.4g} {} take {}, and {} are free", count, each.name,
                             size_text(bytes), size_text(free)));
  const double operations = count * each.operations;
  require_within(extents, operations, most_operations,
                 fmt::format("{:.4g} {} take about {:.1g} operations, and {:.1g} are the most",
                             count, each.name, operations, most_operations));
}

void require_table(std::span<const extent> extents, double bytes) {
  require_affordable(extents, {"rows", bytes, 0.0}, static_cast<double>(max_range_size));
}

void require_simulation(const simulation_size& size, double cells) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  // Measured, as nanoseconds: a sample of the chain, and a number of an explicit sample.
  constexpr double chain_sample = 10.0;
  constexpr double explicit_number = 2.0;
  const double sample =
      size.explicit_vectors ? explicit_number * size.dimension.count : chain_sample;
  std::vector<extent> extents{size.runs, size.steps, size.batch};
  if (size.explicit_vectors) {
    extents.push_back(size.dimension);
    require_affordable(extents, {"random numbers", 0.0, explicit_number * cells}, infinity);
    // The vectors of a run: of the problem, the adapter and what a step needs.
    constexpr double vectors = 9.0;
    require_affordable(std::vector<extent>{size.dimension},
                       {"numbers in a vector", vectors * sizeof(double), 0.0}, infinity);
  } else {
    require_affordable(extents, {"samples", 0.0, sample * cells}, infinity);
  }
}

}  // namespace loradyn::study
