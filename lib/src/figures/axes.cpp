#include "figures/axes.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cstddef>
#include <loradyn/report/question.hpp>
#include <set>

namespace loradyn {

bool is_log_range(const parameter_list& said, std::string_view name,
                  const std::vector<double>& values) {
  return question(said).text(name).starts_with("log:") && !values.empty() &&
         *std::min_element(values.begin(), values.end()) > 0.0;
}

bool is_geometric(const std::vector<double>& values) {
  const std::size_t n = values.size();
  return n > 2 && values[1] > 0.0 && values.back() / values[1] > 50.0 &&
         values[n - 1] - values[n - 2] > 3.0 * (values[2] - values[1]);
}

sweep_layout layout_of(const std::vector<const study::row_key*>& keys) {
  sweep_layout l;
  l.axis = swept_parameters.front();
  bool found = false;
  for (const study::parameter* p : swept_parameters) {
    std::set<std::optional<double>> values;
    for (const study::row_key* key : keys) {
      values.insert(p->get(key->at));
    }
    if (values.size() < 2) {
      continue;
    }
    if (!found) {
      l.axis = p;
      found = true;
    } else {
      l.others.push_back(p);
      l.per_pair *= values.size();
    }
  }
  // A step back on the axis begins a curve even where the pair is the same in two panels.
  const auto goes_on = [&](std::size_t i) {
    const study::row_key& a = *keys[i - 1];
    const study::row_key& b = *keys[i];
    return a.student == b.student && a.teacher == b.teacher && l.x[i] > l.x[i - 1] &&
           std::all_of(l.others.begin(), l.others.end(),
                       [&](const study::parameter* p) { return p->get(a.at) == p->get(b.at); });
  };
  for (std::size_t i = 0; i < keys.size(); ++i) {
    l.x.push_back(l.axis->get(keys[i]->at).value_or(0.0));
    if (i == 0 || !goes_on(i)) {
      l.curves.push_back({i, i});
    }
    l.curves.back().end = i + 1;
  }
  return l;
}

std::string sweep_layout::label(const study::row_key& key) const {
  std::string text;
  for (const study::parameter* p : others) {
    text += fmt::format(", {} = {}", p->symbol, p->get(key.at).value_or(0.0));
  }
  return text;
}

std::optional<double> sweep_layout::value(const study::row_key& key) const {
  return others.size() == 1 ? others.front()->get(key.at) : std::nullopt;
}

std::string sweep_layout::value_label() const {
  return others.size() == 1 ? others.front()->axis_title() : std::string();
}

}  // namespace loradyn
