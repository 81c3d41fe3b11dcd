#include "points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <loradyn/error.hpp>

namespace loradyn::python {
namespace {

struct activations {
  std::vector<shared_activation> values;
  shape extent;
};

// One, or an array of them.
activations read_activations(std::string_view name, py::handle value) {
  if (py::isinstance<py::str>(value) || py::isinstance<known_activation>(value) ||
      PyCallable_Check(value.ptr()) != 0) {
    return {{activation_from(name, value)}, {}};
  }
  if (!py::isinstance<py::sequence>(value) && !py::isinstance<py::array>(value)) {
    return {{activation_from(name, value)}, {}};  // which says what is wrong
  }
  const py::array all =
      py::module_::import("numpy").attr("array")(value, py::arg("dtype") = "object");
  activations read{{}, shape(all.shape(), all.shape() + all.ndim())};
  for (const py::handle element : all.attr("ravel")()) {
    read.values.push_back(activation_from(name, element));
  }
  return read;
}

void require_allowed(const study::parameter& p, const numbers& values) {
  for (const double v : values) {
    if (!p.allows(v)) {
      throw argument_error(p.column(), fmt::format("{}", v), "a number " + p.range());
    }
  }
}

}  // namespace

std::vector<argument> pair_arguments() {
  return {{"student",
           kinds::activations,
           "the student's activation: a name, an expression, an Activation or a function",
           {}},
          {"teacher", kinds::activations, "the teacher's; None: the student's", py::none()}};
}

argument time_unit_argument() {
  return {"time_unit", kinds::text,
          "'raw': times count steps times the learning rate; 'fisher': in units of 1/E[σ'(z)²]",
          py::str(std::string(name_of(study::time_units, study::time_unit::raw)))};
}

points::points(const call& given, std::span<const study::parameter* const> parameters,
               const std::vector<std::string>& others) {
  const study::time_unit unit = given.choice("time_unit", study::time_units);
  const activations students = read_activations("student", given["student"]);
  const activations teachers =
      given.has("teacher") ? read_activations("teacher", given["teacher"]) : students;
  const auto note = [&](std::string_view name, const shape& extent) {
    broadcast(whole_, extent, name);
    if (!extent.empty()) {
      varying_[py::str(std::string(name))] = given[name];
    }
  };
  shape of_pairs;
  broadcast(of_pairs, students.extent, "student");
  broadcast(of_pairs, teachers.extent, "teacher");
  note("student", students.extent);
  if (given.has("teacher")) {
    note("teacher", teachers.extent);
  }
  for (const study::parameter* p : parameters) {
    const std::string name = p->column();
    const py::handle value = given[name];
    if (value.is_none() && given.optional(name)) {
      continue;
    }
    numbers values(name, value);
    require_allowed(*p, values);
    note(name, values.extent());
    if (values.extent().empty()) {
      p->set(otherwise_, values[0]);
    } else {
      swept_.push_back({p, std::move(values)});
    }
  }
  for (const std::string& name : others) {
    if (given.has(name) || !given.optional(name)) {
      note(name, others_.try_emplace(name, name, given[name]).first->second.extent());
    }
  }
  size_ = size_of(whole_);
  for (swept& s : swept_) {
    s.values.broadcast_to(whole_);
  }
  for (auto& [name, values] : others_) {
    values.broadcast_to(whole_);
  }
  const std::vector<std::size_t> of_student = places_of(students.extent, of_pairs);
  const std::vector<std::size_t> of_teacher = places_of(teachers.extent, of_pairs);
  for (std::size_t i = 0; i < of_student.size(); ++i) {
    pairs_.push_back(pair_of(students.values[of_student[i]], teachers.values[of_teacher[i]], unit));
  }
  if (pairs_.size() > 1) {
    pair_places_ = places_of(of_pairs, whole_);
  }
}

}  // namespace loradyn::python
