#include "figures/axes.hpp"

#include <algorithm>
#include <cstddef>

namespace loradyn {

bool is_log_range(const provenance& meta, std::string_view name,
                  const std::vector<double>& values) {
  return meta.parameter(name).starts_with("log:") && !values.empty() &&
         *std::min_element(values.begin(), values.end()) > 0.0;
}

bool is_geometric(const std::vector<double>& values) {
  const std::size_t n = values.size();
  return n > 2 && values[1] > 0.0 && values.back() / values[1] > 50.0 &&
         values[n - 1] - values[n - 2] > 3.0 * (values[2] - values[1]);
}

}  // namespace loradyn
