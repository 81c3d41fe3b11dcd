#pragma once

// Work of the library without the interpreter's lock, which signals and progress reach.

#include <pybind11/pybind11.h>

#include <cstddef>
#include <functional>
#include <loradyn/study/control.hpp>

namespace loradyn::python {

namespace py = pybind11;

// What a call says about how it is computed.
struct run_options {
  std::size_t threads = 0;
  py::object progress = py::none();  // called with (done, total) on the calling thread
  bool brief = false;                // some 0.1 s at the most: on the calling thread
};

// Runs the work with the interpreter's lock released. Unless it is brief, it runs on a thread of
// its own, while the calling one looks at signals and tells progress twenty times a second: a
// handler that raises, as that of Ctrl-C does, ends the work, and its exception is thrown. Throws
// what the work throws. The library has one flag that ends work, so that other calls of this
// process, from other threads, end too, with KeyboardInterrupt.
void run(const run_options& options, const std::function<void(const study::study_control&)>& work);

}  // namespace loradyn::python
