#include "report/csv_table.hpp"

#include <charconv>
#include <fstream>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>
#include "nan.hpp"
#include "report/one_line.hpp"

namespace loradyn {
namespace fs = std::filesystem;

namespace {

// The number that a text is, if it is one.
std::optional<double> number_in(std::string_view text) {
  if (text == "nan") {
    return nan;
  }
  double value = 0.0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  return fault == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

// A text that would be taken for a number is quoted, too.
void append_quoted(std::string& text, std::string_view content) {
  if (content.find_first_of(",\"\r\n") == std::string_view::npos && !content.starts_with('#') &&
      !number_in(content)) {
    text += content;
    return;
  }
  text += '"';
  for (const char c : content) {
    text += c;
    if (c == '"') {
      text += c;
    }
  }
  text += '"';
}

cell cell_from(std::string text, bool was_quoted) {
  if (!was_quoted) {
    if (const auto number = number_in(text)) {
      return *number;
    }
  }
  return text;
}

struct csv_field {
  std::string text;
  bool quoted = false;
};

// Reads the records of a CSV file one after the other.
class csv_reader {
 public:
  explicit csv_reader(const fs::path& path) : in_(open_to_read(path)), where_(path.string()) {
    refill();
  }

  [[nodiscard]] bool done() const { return position_ >= filled_; }
  [[nodiscard]] std::size_t line() const { return line_; }

  // A comment line without its mark, or none.
  std::optional<std::string> comment() {
    if (done() || next() != '#') {
      return std::nullopt;
    }
    std::string content;
    for (advance(); !done() && next() != '\n'; advance()) {
      if (next() != '\r') {
        content += next();
      }
    }
    advance();
    ++line_;
    return content.starts_with(' ') ? content.substr(1) : content;
  }

  std::vector<csv_field> record() {
    std::vector<csv_field> fields(1);
    bool inside = false;
    while (!done()) {
      const char c = next();
      advance();
      csv_field& field = fields.back();
      if (inside) {
        if (c == '"' && !done() && next() == '"') {
          field.text += '"';
          advance();
        } else if (c == '"') {
          inside = false;
        } else {
          line_ += c == '\n' ? 1 : 0;
          field.text += c;
        }
      } else if (c == '"' && field.text.empty()) {
        inside = true;
        field.quoted = true;
      } else if (c == ',') {
        fields.emplace_back();
      } else if (c == '\n') {
        ++line_;
        return fields;
      } else if (c != '\r') {
        field.text += c;
      }
    }
    if (inside) {
      refuse("a quote is not closed");
    }
    ++line_;
    return fields;
  }

  [[noreturn]] void refuse(const std::string& why) const { refuse(why, line_); }
  [[noreturn]] void refuse(const std::string& why, std::size_t line) const {
    throw file_error("'" + where_ + "', line " + std::to_string(line) + ": " + why);
  }

 private:
  [[nodiscard]] char next() const { return buffer_[position_]; }

  void advance() {
    if (++position_ >= filled_) {
      refill();
    }
  }

  void refill() {
    in_.read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    if (in_.bad()) {
      throw file_error("'" + where_ + "' can't be read");
    }
    filled_ = static_cast<std::size_t>(in_.gcount());
    position_ = 0;
  }

  std::ifstream in_;
  std::string where_;
  std::vector<char> buffer_ = std::vector<char>(std::size_t{1} << 16);
  std::size_t filled_ = 0;
  std::size_t position_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::string csv_head(const table_header& header) {
  std::string text = "# loradyn " + one_line(header.meta.version) +
                     "\n# command: " + one_line(header.meta.command) + "\n";
  for (const auto& [key, value] : header.meta.parameters) {
    text += "# " + one_line(key) + ": " + one_line(value) + "\n";
  }
  for (std::size_t c = 0; c < header.columns.size(); ++c) {
    text += c == 0 ? "" : ",";
    append_quoted(text, header.columns[c]);
  }
  return text + '\n';
}

void append_csv_row(std::string& text, std::span<const cell> row) {
  for (std::size_t c = 0; c < row.size(); ++c) {
    text += c == 0 ? "" : ",";
    if (const auto* content = std::get_if<std::string>(&row[c])) {
      append_quoted(text, *content);
    } else {
      append_text(text, row[c]);
    }
  }
  text += '\n';
}

std::string to_csv(const table& t) {
  std::string text = csv_head(header_of(t));
  for (const auto& row : t.rows) {
    append_csv_row(text, row);
  }
  return text;
}

void read_csv(const fs::path& path, const head_visitor& head, const row_visitor& visit) {
  csv_reader reader(path);
  table_header header;
  while (const auto comment = reader.comment()) {
    const std::size_t colon = comment->find(": ");
    if (colon == std::string::npos) {
      const std::string program = "loradyn ";
      if (comment->starts_with(program)) {
        header.meta.version = comment->substr(program.size());
      }
    } else if (comment->substr(0, colon) == "command") {
      header.meta.command = comment->substr(colon + 2);
    } else {
      header.meta.parameters.emplace_back(comment->substr(0, colon), comment->substr(colon + 2));
    }
  }
  if (reader.done()) {
    reader.refuse("there is no header row");
  }
  for (csv_field& field : reader.record()) {
    header.columns.push_back(std::move(field.text));
  }
  head(header);
  while (!reader.done()) {
    check_stop();
    const std::size_t line = reader.line();
    std::vector<csv_field> fields = reader.record();
    if (fields.size() != header.columns.size()) {
      reader.refuse(std::to_string(fields.size()) + " values in a table of " +
                        std::to_string(header.columns.size()) + " columns",
                    line);
    }
    std::vector<cell> row;
    row.reserve(fields.size());
    for (csv_field& field : fields) {
      row.push_back(cell_from(std::move(field.text), field.quoted));
    }
    visit(std::move(row));
  }
}

csv_rows::csv_rows(const table_header& header, const pending_file& file, bool headless)
    : out_(file) {
  if (!headless) {
    out_.append(csv_head(header));
  }
}

void csv_rows::add(std::span<const cell> row) {
  text_.clear();
  append_csv_row(text_, row);
  out_.append(text_);
}

void csv_rows::finish() { out_.close(); }

}  // namespace loradyn
