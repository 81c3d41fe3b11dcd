#include <algorithm>
#include <cstddef>
#include <loradyn/nearest_names.hpp>
#include <numeric>
#include <utility>
#include <vector>

namespace loradyn {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_names(std::string_view name, std::span<const std::string> known) {
  constexpr std::size_t most = 3;
  std::vector<std::pair<std::size_t, std::size_t>> ranked;
  for (std::size_t i = 0; i < known.size(); ++i) {
    ranked.emplace_back(edit_distance(name, known[i]), i);
  }
  std::sort(ranked.begin(), ranked.end());
  std::string joined;
  for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i) {
    if (ranked[i].first > ranked[0].first + 1) {
      break;
    }
    joined += (i == 0 ? "" : ", ") + known[ranked[i].second];
  }
  return joined;
}

}  // namespace loradyn
