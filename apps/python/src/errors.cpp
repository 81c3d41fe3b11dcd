#include "errors.hpp"

#include <cctype>
#include <exception>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>

namespace loradyn::python {

std::string in_python(const std::string& message) {
  const auto in_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
  };
  std::string text;
  for (std::size_t i = 0; i < message.size();) {
    if (message.compare(i, 2, "--") != 0 || i + 2 == message.size() || !in_name(message[i + 2])) {
      text += message[i++];
      continue;
    }
    for (i += 2; i < message.size() && in_name(message[i]); ++i) {
      text += message[i] == '-' ? '_' : message[i];
    }
  }
  return text;
}

void register_errors(py::module_& module) {
  static py::exception<convergence_error> convergence(module, "ConvergenceError",
                                                      PyExc_ArithmeticError);
  convergence.doc() = "A quadrature, a series or a search that did not reach its tolerance.";
  py::register_exception_translator([](std::exception_ptr fault) {
    try {
      if (fault) {
        std::rethrow_exception(fault);
      }
    } catch (const convergence_error& e) {
      convergence(in_python(e.what()).c_str());
    } catch (const file_error& e) {
      PyErr_SetString(PyExc_OSError, e.what());
    } catch (const error& e) {
      PyErr_SetString(PyExc_ValueError, in_python(e.what()).c_str());
    } catch (const interrupted&) {
      PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
}

}  // namespace loradyn::python
