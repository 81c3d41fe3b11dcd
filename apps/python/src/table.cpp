#include "table.hpp"

#include <pybind11/stl.h>

namespace loradyn::python {

table::table(std::vector<told_column> columns, shape extent)
    : columns_(std::move(columns)), extent_(std::move(extent)), size_(size_of(extent_)) {
  data_.resize(columns_.size());
  for (std::size_t k = 0; k < columns_.size(); ++k) {
    switch (columns_[k].kind) {
      case column_kind::number:
        data_[k].numbers.resize(size_);
        break;
      case column_kind::integer:
        data_[k].integers.resize(size_);
        break;
      case column_kind::text:
        data_[k].texts.codes.resize(size_);
        break;
    }
  }
}

table::text_block::text_block(table& whole, std::size_t count)
    : whole_(whole), own_(whole.columns_.size()) {
  for (std::size_t k = 0; k < own_.size(); ++k) {
    if (whole.columns_[k].kind == column_kind::text) {
      own_[k].codes.resize(count);
    }
  }
}

void table::text_block::merge(std::size_t begin) {
  std::vector<std::vector<std::int32_t>> codes(own_.size());
  {
    const std::lock_guard lock(whole_.merging_);
    for (std::size_t k = 0; k < own_.size(); ++k) {
      std::vector<std::string>& all = whole_.data_[k].texts.values;
      for (const std::string& value : own_[k].values) {
        const auto found = std::find(all.begin(), all.end(), value);
        codes[k].push_back(static_cast<std::int32_t>(found - all.begin()));
        if (found == all.end()) {
          all.push_back(value);
        }
      }
    }
  }
  for (std::size_t k = 0; k < own_.size(); ++k) {
    for (std::size_t i = 0; i < own_[k].codes.size(); ++i) {
      whole_.data_[k].texts.codes[begin + i] = codes[k][static_cast<std::size_t>(own_[k].codes[i])];
    }
  }
}

py::array table::column(const py::object& self, const std::string& name) {
  auto& own = self.cast<table&>();
  for (std::size_t k = 0; k < own.columns_.size(); ++k) {
    if (own.columns_[k].name != name) {
      continue;
    }
    data& d = own.data_[k];
    switch (own.columns_[k].kind) {
      case column_kind::number:
        return py::array_t<double>(own.extent_, d.numbers.data(), self);
      case column_kind::integer:
        return py::array_t<std::int64_t>(own.extent_, d.integers.data(), self);
      case column_kind::text:
        break;
    }
    const py::module_ numpy = py::module_::import("numpy");
    if (d.texts.values.empty()) {
      return numpy.attr("empty")(py::cast(own.extent_), "U1");
    }
    const py::array_t<std::int32_t> codes(own.extent_, d.texts.codes.data(), self);
    return numpy.attr("asarray")(
        numpy.attr("array")(py::cast(d.texts.values)).attr("__getitem__")(codes));
  }
  throw py::key_error(name);
}

void define_table(py::module_& module) {
  py::class_<table>(module, "Table", "The rows of a question as columns.")
      .def("column", [](const py::object& self,
                        const std::string& name) { return table::column(self, name); })
      .def_property_readonly("shape",
                             [](const table& t) { return py::tuple(py::cast(t.extent())); })
      .def_property_readonly("names", [](const table& t) {
        py::list names;
        for (const told_column& c : t.columns()) {
          names.append(c.name);
        }
        return names;
      });
}

}  // namespace loradyn::python
