#include "report/json_table.hpp"

#include <fstream>
#include <limits>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
#include "nan.hpp"
#include "report/one_line.hpp"
#include "report/parameter_json.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

using json = nlohmann::ordered_json;

cell cell_from(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  const bool too_large = value.is_number_unsigned() &&
                         value.get<std::uint64_t>() >
                             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (value.is_number_integer() && !too_large) {
    return value.get<std::int64_t>();
  }
  return value.is_null() ? nan : value.get<double>();
}

std::string dump(const json& value) {
  return value.dump(1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

// The text of a JSON document around its rows, and of the rows.
class json_text {
 public:
  explicit json_text(const table_header& header) : kinds_(header.kinds) {
    json parameters = json::object();
    for (const auto& [key, value] : header.meta.parameters) {
      parameters[key] = parameter_json(value);
    }
    json document;
    document["meta"] = {{"version", header.meta.version},
                        {"command", header.meta.command},
                        {"parameters", parameters},
                        {"columns", header.columns}};
    document["rows"] = json::array();
    head_ = dump(document);
    head_.resize(head_.size() - std::string_view("]\n}").size());

    json& object = nested_[0][0];
    object = json::object();
    for (const std::string& column : header.columns) {
      object[column] = nullptr;
    }
    // Their places, which stay as no key comes any more.
    for (const std::string& column : header.columns) {
      values_.push_back(&object[column]);
    }
  }
  json_text(const json_text&) = delete;
  json_text& operator=(const json_text&) = delete;

  [[nodiscard]] const std::string& head() const { return head_; }

  void append_row(std::string& text, std::span<const cell> row) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const auto* integer = std::get_if<std::int64_t>(&row[c]);
      if (integer != nullptr && kinds_[c] == column_kind::number) {
        *values_[c] = static_cast<double>(*integer);
      } else {
        std::visit([&](const auto& value) { *values_[c] = value; }, row[c]);
      }
    }
    // As deep in brackets as in the document, so that the indentation is the document's.
    constexpr std::string_view before = "[\n [";
    constexpr std::string_view after = "\n ]\n]";
    const std::string whole = dump(nested_);
    text += any_ ? "," : "";
    text.append(whole, before.size(), whole.size() - before.size() - after.size());
    any_ = true;
  }

  [[nodiscard]] std::string tail() const { return any_ ? "\n ]\n}\n" : "]\n}\n"; }

 private:
  std::vector<column_kind> kinds_;
  std::string head_;
  json nested_;
  std::vector<json*> values_;
  bool any_ = false;
};

void read_json(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  const auto refuse = [&path](const std::string& why) {
    throw file_error("'" + path.string() + "' is not a table of loradyn: " + why);
  };
  std::ifstream in = open_to_read(path);
  table_header header;
  std::string section;  // the document's key that the parser is at
  bool has_head = false;
  bool has_rows = false;
  // Each row leaves the document as soon as it is complete, so that one is held at a time.
  const auto part = [&](int depth, json::parse_event_t event, json& parsed) {
    using kind = json::parse_event_t;
    check_stop();
    if (depth > deepest_json) {
      refuse("it is nested too deep");
    }
    if (depth == 1 && event == kind::key) {
      section = parsed.get<std::string>();
    } else if (depth == 1 && event == kind::object_end && section == "meta") {
      if (has_head) {
        refuse("it has more than one meta");
      }
      header.meta.version = parsed.at("version");
      header.meta.command = parsed.at("command");
      for (const auto& [name, value] : parsed.at("parameters").items()) {
        header.meta.parameters.emplace_back(
            name, value.is_string() ? text_parameter(value.get<std::string>()) : value.dump());
      }
      for (const json& name : parsed.at("columns")) {
        header.columns.push_back(name);
      }
      has_head = true;
      head(header);
    } else if (depth == 1 && event == kind::array_start && section == "rows") {
      has_rows = true;
    } else if (depth == 2 && section == "rows" && event == kind::object_end) {
      if (!has_head) {
        refuse("its rows come before its meta");
      }
      std::vector<cell> row;
      row.reserve(header.columns.size());
      for (const std::string& column : header.columns) {
        row.push_back(cell_from(parsed.at(column)));
      }
      visit(std::move(row));
      return false;
    } else if (depth == 2 && section == "rows" &&
               (event == kind::value || event == kind::array_end)) {
      refuse("a row is no object");
    }
    return true;
  };
  try {
    [[maybe_unused]] const json what_is_left = json::parse(in, part);
  } catch (const json::exception& e) {
    refuse(one_line(e.what()));
  }
  if (!has_head || !has_rows) {
    refuse(has_head ? "it has no rows" : "it has no meta");
  }
}

std::string to_json(const table& t) {
  json_text json(header_of(t));
  std::string text = json.head();
  for (const auto& row : t.rows) {
    json.append_row(text, row);
  }
  return text + json.tail();
}

json_rows::json_rows(const table_header& header, const pending_file& file)
    : json_(std::make_unique<json_text>(header)), out_(file) {
  out_.append(json_->head());
}

json_rows::~json_rows() = default;

void json_rows::add(std::span<const cell> row) {
  text_.clear();
  json_->append_row(text_, row);
  out_.append(text_);
}

void json_rows::finish() {
  out_.append(json_->tail());
  out_.close();
}

}  // namespace loradyn
