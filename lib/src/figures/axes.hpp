#pragma once

/// \file
/// What the rows of a sweep are drawn over, and which axes are logarithmic.

#include <array>
#include <loradyn/report/figure.hpp>
#include <loradyn/report/table.hpp>
#include <loradyn/study/critical.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn {

/// Whether the values of an axis were given as a logarithmic range, and may stand on such an axis.
bool is_log_range(const parameter_list& said, std::string_view name,
                  const std::vector<double>& values);

/// Whether values in increasing order, of which the first may be zero, are spaced as powers are.
bool is_geometric(const std::vector<double>& values);

/// What the rows of a sweep may be drawn over.
inline constexpr std::array<const study::parameter*, 7> swept_parameters{
    &study::registry::mu,    &study::registry::nu,       &study::registry::gamma,
    &study::registry::noise, &study::registry::lr_ratio, &study::registry::dim,
    &study::registry::at};

/// The critical alignments of each student; of none, that there is none where the words looked.
figure roots_figure(const parameter_list& said, const std::vector<study::critical_row>& rows);

/// The rows of one curve: [begin, end).
struct stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// How the rows of a sweep are drawn.
struct sweep_layout {
  const study::parameter* axis = nullptr;       ///< the first parameter that varies, else the first
  std::vector<double> x;                        ///< its values, row by row
  std::vector<const study::parameter*> others;  ///< those that vary beside it
  std::size_t per_pair = 1;                     ///< curves of a pair
  std::vector<stretch> curves;  ///< of one pair and one value of the others; x increases

  /// What tells a curve from others of its pair: ", ν = 0.1".
  [[nodiscard]] std::string label(const study::row_key& key) const;
  /// The value of a family over one other parameter, and its title.
  [[nodiscard]] std::optional<double> value(const study::row_key& key) const;
  [[nodiscard]] std::string value_label() const;
};

sweep_layout layout_of(const std::vector<const study::row_key*>& keys);

template <class Row>
sweep_layout layout_of(const std::vector<Row>& rows) {
  std::vector<const study::row_key*> keys;
  for (const Row& row : rows) {
    keys.push_back(&row.key);
  }
  return layout_of(keys);
}

}  // namespace loradyn
