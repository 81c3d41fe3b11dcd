#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <loradyn/study/parameter.hpp>

namespace loradyn::study {
namespace {

// Get and set of a member of a part of the point.
template <auto Part, auto Member>
std::optional<double> get(const parameter_point& p) {
  return p.*Part.*Member;
}
template <auto Part, auto Member>
void set(parameter_point& p, double value) {
  p.*Part.*Member = value;
}

template <auto Member>
constexpr auto get_model = get<&parameter_point::parameters, Member>;
template <auto Member>
constexpr auto set_model = set<&parameter_point::parameters, Member>;
template <auto Member>
constexpr auto get_start = get<&parameter_point::start, Member>;
template <auto Member>
constexpr auto set_start = set<&parameter_point::start, Member>;

template <auto Member>
constexpr auto get_layout = get<&parameter_point::layout, Member>;
template <auto Member>
constexpr auto set_layout = set<&parameter_point::layout, Member>;

// A width or a rank: larger ones have more overlaps than a table has columns.
constexpr double most_neurons = 256.0;

constexpr double infinity = std::numeric_limits<double>::infinity();

const parameter* named(std::span<const parameter* const> parameters, std::string_view name) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [name](const parameter* p) { return p->name == name; });
  return found == parameters.end() ? nullptr : *found;
}

}  // namespace

namespace registry {

constinit const parameter mu{.name = "mu",
                             .symbol = "μ",
                             .meaning = "pre-training alignment",
                             .title = "pre-training alignment",
                             .standard = std::nullopt,
                             .get = get_model<&lora_parameters::alignment>,
                             .set = set_model<&lora_parameters::alignment>};

constinit const parameter nu{.name = "nu",
                             .symbol = "ν",
                             .meaning = "misalignment of the pre-trained weight",
                             .title = "misalignment",
                             .least = 0.0,
                             .standard = 0.0,
                             .get = get_model<&lora_parameters::misalignment>,
                             .set = set_model<&lora_parameters::misalignment>};

constinit const parameter gamma{.name = "gamma",
                                .symbol = "γ",
                                .meaning = "SGD noise scale, learning rate times d/batch",
                                .title = "noise scale",
                                .least = 0.0,
                                .standard = 0.0,
                                .get = get_model<&lora_parameters::noise_scale>,
                                .set = set_model<&lora_parameters::noise_scale>};

constinit const parameter noise{.name = "noise",
                                .symbol = "Δ",
                                .meaning = "variance of the labels' noise",
                                .title = "label noise",
                                .least = 0.0,
                                .standard = 0.0,
                                .get = get_model<&lora_parameters::label_noise>,
                                .set = set_model<&lora_parameters::label_noise>};

constinit const parameter lr_ratio{.name = "lr-ratio",
                                   .symbol = "κ",
                                   .meaning = "learning rate of u over that of v; 0 freezes u",
                                   .title = "learning rate ratio",
                                   .least = 0.0,
                                   .standard = 1.0,
                                   .get = get_model<&lora_parameters::rate_ratio>,
                                   .set = set_model<&lora_parameters::rate_ratio>};

constinit const parameter u0{.name = "u0",
                             .symbol = "u0",
                             .meaning = "adapter's amplitude at the start",
                             .title = "",
                             .standard = 1e-6,
                             .get = get_start<&overlap_state::u>,
                             .set = set_start<&overlap_state::u>};

constinit const parameter m0{.name = "m0",
                             .symbol = "m0",
                             .meaning = "overlap of the adapter with the target at the start",
                             .title = "",
                             .least = -1.0,
                             .most = 1.0,
                             .standard = 0.03,
                             .get = get_start<&overlap_state::m>,
                             .set = set_start<&overlap_state::m>};

constinit const parameter s0{
    .name = "s0",
    .symbol = "s0",
    .meaning = "overlap of the adapter with the pre-trained weight's other part",
    .title = "",
    .least = -1.0,
    .most = 1.0,
    .standard = 0.0,
    .get = get_start<&overlap_state::s>,
    .set = set_start<&overlap_state::s>};

constinit const parameter dim{.name = "dim",
                              .symbol = "d",
                              .meaning = "dimension",
                              .title = "dimension",
                              .least = 3.0,
                              .standard = std::nullopt,
                              .get = [](const parameter_point& p) { return p.dimension; },
                              .set = [](parameter_point& p, double value) { p.dimension = value; }};

constinit const parameter at{.name = "at",
                             .symbol = "at",
                             .meaning = "the level of the event",
                             .title = "level of the event",
                             .standard = std::nullopt,
                             .get = [](const parameter_point& p) { return p.level; },
                             .set = [](parameter_point& p, double value) { p.level = value; }};

constinit const parameter width{.name = "width",
                                .symbol = "K",
                                .meaning = "neurons of the student",
                                .title = "width",
                                .least = 1.0,
                                .most = most_neurons,
                                .standard = 1.0,
                                .get = get_layout<&layout_numbers::width>,
                                .set = set_layout<&layout_numbers::width>,
                                .whole = true};

constinit const parameter teacher_width{.name = "teacher-width",
                                        .symbol = "k",
                                        .meaning = "neurons of the teacher",
                                        .title = "width of the teacher",
                                        .least = 1.0,
                                        .most = most_neurons,
                                        .standard = 1.0,
                                        .get = get_layout<&layout_numbers::teacher_width>,
                                        .set = set_layout<&layout_numbers::teacher_width>,
                                        .whole = true};

constinit const parameter rank{.name = "rank",
                               .symbol = "r",
                               .meaning = "adapters",
                               .title = "rank",
                               .least = 1.0,
                               .most = most_neurons,
                               .standard = 1.0,
                               .get = get_layout<&layout_numbers::rank>,
                               .set = set_layout<&layout_numbers::rank>,
                               .whole = true};

constinit const parameter decay{.name = "decay",
                                .symbol = "ω",
                                .meaning = "weight decay",
                                .title = "weight decay",
                                .least = 0.0,
                                .standard = 0.0,
                                .get = get_layout<&layout_numbers::decay>,
                                .set = set_layout<&layout_numbers::decay>};

constinit const parameter source_overlap{.name = "source-overlap",
                                         .symbol = "ρ",
                                         .meaning = "of the source's targets with the target's",
                                         .title = "overlap with the source",
                                         .least = -1.0,
                                         .most = 1.0,
                                         .standard = std::nullopt,
                                         .get = get_layout<&layout_numbers::source_overlap>,
                                         .set = set_layout<&layout_numbers::source_overlap>};

}  // namespace registry

std::string parameter::column() const {
  std::string text(name);
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

std::string parameter::axis_title() const {
  return title.empty() ? column() : fmt::format("{} {}", title, symbol);
}

std::string parameter::range() const {
  if (whole) {
    return fmt::format("a whole number from {} to {}", least, most);
  }
  if (least == -infinity && most == infinity) {
    return "";
  }
  if (most == infinity) {
    return fmt::format(">= {}", least);
  }
  return least == -infinity ? fmt::format("at most {}", most)
                            : fmt::format("between {} and {}", least, most);
}

const parameter* parameter_named(std::string_view name) { return named(all_parameters, name); }

const parameter* layout_parameter_named(std::string_view name) {
  return named(layout_parameters, name);
}

std::vector<std::string> parameter_names() {
  std::vector<std::string> names;
  for (const parameter* p : all_parameters) {
    names.emplace_back(p->name);
  }
  return names;
}

std::size_t parameter_grid::size() const {
  std::size_t count = 1;
  for (const swept_parameter& axis : axes) {
    count *= axis.values.size();
  }
  return count;
}

parameter_point parameter_grid::at(std::size_t i) const {
  parameter_point p = otherwise;
  for (const swept_parameter& axis : axes) {
    axis.what->set(p, axis.values[i % axis.values.size()]);
    i /= axis.values.size();
  }
  return p;
}

std::vector<const parameter*> parameter_grid::told(std::span<const parameter* const> always) const {
  std::vector<const parameter*> all(always.begin(), always.end());
  for (const swept_parameter& axis : axes) {
    if (axis.values.size() > 1 && std::find(all.begin(), all.end(), axis.what) == all.end()) {
      all.push_back(axis.what);
    }
  }
  return all;
}

}  // namespace loradyn::study
