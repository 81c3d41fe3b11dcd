#pragma once

/// \file
/// A reference to a callable. Internal to the library.

#include <memory>
#include <type_traits>
#include <utility>

namespace loradyn {

template <class Signature>
class function_ref;

/// Refers to a callable that outlives it: one indirect call, no allocation.
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
 public:
  template <class Callable>
  /// Refers to a callable, which must live longer.
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, function_ref>)
      function_ref(Callable&& callable)  // implicit, as for std::function
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Arguments... arguments) -> Result {
          return (*static_cast<std::add_pointer_t<Callable>>(object))(
              std::forward<Arguments>(arguments)...);
        }) {}

  /// Calls it.
  Result operator()(Arguments... arguments) const {
    return call_(object_, std::forward<Arguments>(arguments)...);
  }

 private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

}  // namespace loradyn
