#include "running.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <loradyn/interruption.hpp>
#include <mutex>
#include <optional>
#include <thread>

namespace loradyn::python {
namespace {

// Counts the calls at work: the flag that ends them stays set until all have ended.
class turn {
 public:
  turn() {
    std::unique_lock lock(mutex);
    if (depth == 0) {
      ended.wait(lock, [] { return working == 0 || !stop_requested(); });
    }
    if (working == 0) {
      clear_stop();
    } else if (stop_requested()) {
      throw interrupted();  // from within a call that ends
    }
    ++working;
    ++depth;
  }
  ~turn() {
    const std::lock_guard lock(mutex);
    --depth;
    if (--working == 0) {
      clear_stop();
    }
    ended.notify_all();
  }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  static inline std::mutex mutex;
  static inline std::condition_variable ended;
  static inline std::size_t working = 0;
  static inline thread_local std::size_t depth = 0;  // calls from a call's progress
};

// The work on a thread of its own, and what it says of its progress.
class background {
 public:
  explicit background(const std::function<void()>& work)
      : thread_([this, work] {
          try {
            work();
          } catch (...) {
            fault_ = std::current_exception();
          }
          const std::lock_guard lock(mutex_);
          done_ = true;
          changed_.notify_all();
        }) {}
  ~background() { thread_.join(); }
  background(const background&) = delete;
  background& operator=(const background&) = delete;

  // Whether it ends within this time.
  bool ends_within(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return done_; });
  }

  void rethrow() const {
    if (fault_) {
      std::rethrow_exception(fault_);
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::exception_ptr fault_;
  std::thread thread_;  // the last: it uses the others
};

struct progress_state {
  std::mutex mutex;
  std::size_t done = 0;
  std::size_t total = 0;
};

}  // namespace

void run(const run_options& options, const std::function<void(const study::study_control&)>& work) {
  if (options.brief) {
    const py::gil_scoped_release released;
    const turn mine;
    work({.threads = options.threads});
    return;
  }
  progress_state state;
  study::study_control control{.threads = options.threads};
  const bool tells = !options.progress.is_none();
  if (tells) {
    control.progress = [&state](std::size_t done, std::size_t total) {
      const std::lock_guard lock(state.mutex);
      state.done = done;
      state.total = total;
    };
  }
  std::optional<py::error_already_set> raised;
  std::optional<std::size_t> told;
  const auto tell = [&] {
    std::size_t done = 0;
    std::size_t total = 0;
    {
      const std::lock_guard lock(state.mutex);
      done = state.done;
      total = state.total;
    }
    if (tells && total > 0 && told != done) {
      told = done;
      options.progress(done, total);
    }
  };
  {
    const py::gil_scoped_release released;
    const turn mine;
    background worker([&] { work(control); });
    constexpr std::chrono::milliseconds look_every(50);
    while (!worker.ends_within(look_every)) {
      if (raised) {
        continue;
      }
      const py::gil_scoped_acquire held;
      try {
        if (PyErr_CheckSignals() != 0) {
          throw py::error_already_set();
        }
        tell();
      } catch (py::error_already_set& e) {
        raised.emplace(std::move(e));
        request_stop();
      }
    }
    if (!raised) {
      worker.rethrow();
    }
  }
  if (raised) {
    throw *std::move(raised);
  }
  tell();
}

}  // namespace loradyn::python
