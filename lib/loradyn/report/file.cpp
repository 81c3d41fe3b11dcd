#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <loradyn/error.hpp>
#include <loradyn/report/file.hpp>
#include <sstream>
#include <system_error>

namespace loradyn {
namespace fs = std::filesystem;

pending_file::pending_file(fs::path final_name) : final_(std::move(final_name)) {
  const auto refuse = [this](const std::string& why) {
    throw file_error("'" + final_.string() + "' can't be written: " + why);
  };
  std::error_code ignored;
  if (!final_.has_filename() || fs::is_directory(final_, ignored)) {
    refuse("it is a directory");
  }
  const fs::path directory = final_.has_parent_path() ? final_.parent_path() : fs::path(".");
  if (!fs::is_directory(directory, ignored)) {
    refuse("there is no directory '" + directory.string() + "'");
  }
  temporary_ = directory / ("." + final_.stem().string() + "." + std::to_string(::getpid()) +
                            ".part" + final_.extension().string());
  std::ofstream probe(temporary_, std::ios::binary | std::ios::trunc);
  if (!probe) {
    refuse(std::strerror(errno));
  }
}

pending_file::~pending_file() {
  if (!committed_) {
    std::error_code ignored;
    fs::remove(temporary_, ignored);
  }
}

void pending_file::write(const std::string& content) const {
  file_writer out(*this);
  out.append(content);
  out.close();
}

void pending_file::commit() {
  std::error_code fault;
  fs::rename(temporary_, final_, fault);
  if (fault) {
    throw file_error("'" + final_.string() + "' can't be written: " + fault.message());
  }
  committed_ = true;
}

file_writer::file_writer(const pending_file& file) : file_(file), buffer_(std::size_t{1} << 16) {
  // A buffer of one's own is taken before the file is opened, or not at all.
  out_.rdbuf()->pubsetbuf(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  out_.open(file_.path(), std::ios::binary | std::ios::trunc);
  check();
}

void file_writer::append(std::string_view text) {
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  check();
}

void file_writer::close() {
  out_.close();
  check();
}

void file_writer::check() const {
  if (!out_) {
    throw file_error("'" + file_.final_name().string() +
                     "' can't be written: " + std::strerror(errno));
  }
}

std::ifstream open_to_read(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw file_error("'" + path.string() + "' can't be read: it is a directory");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw file_error("'" + path.string() + "' can't be read: " + std::strerror(errno));
  }
  return in;
}

std::string read_file(const fs::path& path) {
  const std::ifstream in = open_to_read(path);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

}  // namespace loradyn
