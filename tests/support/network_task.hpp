#pragma once

#include <loradyn/activation/parse.hpp>
#include <loradyn/model/network_task.hpp>
#include <string>

namespace loradyn::test {

// Of a student and a teacher by their names.
inline network_task task_of(const std::string& student, const std::string& teacher) {
  return {parse_activation(student), parse_activation(teacher)};
}
inline network_task task_of(const std::string& name) { return task_of(name, name); }

}  // namespace loradyn::test
