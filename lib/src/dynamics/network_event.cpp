#include <charconv>
#include <cmath>
#include <limits>
#include <loradyn/dynamics/network_event.hpp>
#include <loradyn/error.hpp>
#include <loradyn/number_text.hpp>
#include <string>

namespace loradyn {

double mean_overlap(const network_overlaps& o, bool is_signed) {
  double sum = 0.0;
  for (Eigen::Index j = 0; j < o.targets.rows(); ++j) {
    const double M = o.targets(j, j % o.targets.cols());
    sum += is_signed ? M : std::abs(M);
  }
  return sum / static_cast<double>(o.targets.rows());
}

std::optional<network_overlap_event> network_event_named(std::string_view name) {
  // A number that is none is no entry's, which is said where the sizes are known.
  const auto index = [](std::string_view digits) {
    std::ptrdiff_t value = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool whole = result.ec == std::errc() && result.ptr == digits.data() + digits.size();
    return whole ? value : 0;
  };
  network_overlap_event event;
  const std::size_t first = name.find('_');
  if (first != std::string_view::npos) {
    const std::string_view entry = name.substr(first + 1);
    const std::size_t second = entry.find('_');
    event.entry = {index(entry.substr(0, second)),
                   second == std::string_view::npos ? 0 : index(entry.substr(second + 1))};
  }
  const auto quantity = value_named(network_overlap_quantities, name.substr(0, first));
  if (!quantity) {
    return std::nullopt;
  }
  event.quantity = *quantity;
  return event;
}

void network_overlap_event::validate(const network_flow& f) const {
  const std::string name(name_of(network_overlap_quantities, quantity));
  if (!std::isfinite(at)) {
    throw argument_error("the value of the event", number_text(at), "finite");
  }
  const bool is_risk = quantity == network_overlap_quantity::risk ||
                       quantity == network_overlap_quantity::source_risk;
  if (quantity == network_overlap_quantity::source_risk && !f.task().source_risk) {
    throw argument_error("the event", "'" + name + "'", "another where there is no source task");
  }
  if (!entry) {
    if (quantity == network_overlap_quantity::U || quantity == network_overlap_quantity::S) {
      throw argument_error("the event", "'" + name + "'",
                           "an entry of the matrix, such as " + name + "_1_1");
    }
    return;
  }
  if (is_risk) {
    throw argument_error("the event", "an entry of '" + name + "'", "the risk itself");
  }
  const std::ptrdiff_t rank = f.parameters().rank;
  const std::ptrdiff_t width = f.geometry().width();
  const bool by_adapter =
      quantity == network_overlap_quantity::m || quantity == network_overlap_quantity::S;
  const bool of_adapters =
      quantity == network_overlap_quantity::U || quantity == network_overlap_quantity::S;
  const std::ptrdiff_t rows = by_adapter ? rank : width;
  const std::ptrdiff_t columns = of_adapters ? rank : f.geometry().teacher.rows();
  if (entry->first < 1 || entry->first > rows || entry->second < 1 || entry->second > columns) {
    throw argument_error(
        "the event",
        name + "_" + std::to_string(entry->first) + "_" + std::to_string(entry->second),
        "an entry of a matrix of " + std::to_string(rows) + " x " + std::to_string(columns));
  }
}

std::string network_event_names() {
  return names_of(network_overlap_quantities) + ", or an entry such as M_1_2";
}

std::string to_text(const network_overlap_event& event) {
  std::string text(name_of(network_overlap_quantities, event.quantity));
  if (event.entry) {
    text += "_" + std::to_string(event.entry->first) + "_" + std::to_string(event.entry->second);
  }
  return text;
}

double value_of(const network_flow& f, const network_overlap_event& e, const network_state& x) {
  const auto entry_of = [&e](const Eigen::MatrixXd& m) {
    const double value = m(e.entry->first - 1, e.entry->second - 1);
    return e.is_signed ? value : std::abs(value);
  };
  switch (e.quantity) {
    case network_overlap_quantity::m: {
      const Eigen::MatrixXd m = x.C * f.geometry().teacher.transpose();
      return e.entry ? entry_of(m) : e.is_signed ? m.maxCoeff() : m.cwiseAbs().maxCoeff();
    }
    case network_overlap_quantity::M: {
      const network_overlaps o = overlaps_of(f.geometry(), x);
      return e.entry ? entry_of(o.targets) : mean_overlap(o, e.is_signed);
    }
    case network_overlap_quantity::U:
      return entry_of(x.U);
    case network_overlap_quantity::S:
      return entry_of(x.S());
    case network_overlap_quantity::risk:
      return f.risk(x);
    case network_overlap_quantity::source_risk:
      break;
  }
  return f.source_risk(x);
}

ode_event<any_dimension> event_of(const network_flow& f, const network_overlap_event& e,
                                  const network_state& x) {
  const auto value = [&f, e](const std::vector<double>& y) {
    try {
      return value_of(f, e, f.unpack(y)) - e.at;
    } catch (const error&) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  };
  switch (e.quantity) {
    case network_overlap_quantity::risk:
      return {value, crossing::falling};
    case network_overlap_quantity::m:
      if (!e.is_signed) {
        return {value, crossing::rising};
      }
      break;
    default:
      break;
  }
  return {value, value(f.pack(x)) < 0.0 ? crossing::rising : crossing::falling};
}

bool met_by(const ode_event<any_dimension>& event, const network_flow& f, const network_state& x) {
  const double value = event.value(f.pack(x));
  return event.direction == crossing::rising ? value >= 0.0 : value <= 0.0;
}

}  // namespace loradyn
