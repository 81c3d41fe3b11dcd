#pragma once

/// \file
/// What the rows of a sweep are drawn over, and which axes are logarithmic.

#include <array>
#include <loradyn/report/table.hpp>
#include <loradyn/study/pair.hpp>
#include <loradyn/study/parameter.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loradyn {

/// Whether the values of an axis were given as a logarithmic range, and may stand on such an axis.
bool is_log_range(const provenance& meta, std::string_view name, const std::vector<double>& values);

/// Whether values in increasing order, of which the first may be zero, are spaced as powers are.
bool is_geometric(const std::vector<double>& values);

/// Whether the provenance has a list or a range of this parameter.
bool is_swept(const provenance& meta, const study::parameter& p);
/// Of some parameters those, and behind them what else the provenance has a list of: the columns of
/// a table of a sweep.
std::vector<const study::parameter*> told_by(const provenance& meta,
                                             std::span<const study::parameter* const> always);

/// What the rows of a sweep may be drawn over.
inline constexpr std::array<const study::parameter*, 7> swept_parameters{
    &study::registry::mu,    &study::registry::nu,       &study::registry::gamma,
    &study::registry::noise, &study::registry::lr_ratio, &study::registry::dim,
    &study::registry::at};

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
