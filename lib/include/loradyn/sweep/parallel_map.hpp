#pragma once

/// \file
/// The parallel map over the points of a sweep.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <loradyn/interruption.hpp>
#include <loradyn/parallel/threads.hpp>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace loradyn {

/// How a sweep runs. The results depend on none of it.
struct sweep_control {
  std::size_t threads = 0;       ///< 0: as many as the machine has
  std::size_t block = 1024;      ///< points that a thread takes at a time: some 0.1 ms of work
  std::size_t serial_up_to = 0;  ///< a sweep that is done before the threads would have started
  std::function<bool()> stop;    ///< asked before each block; true ends the sweep early
};

/// take(i, point(i)) for i < count: points on all threads, each taking the next block as it is
/// free, so that points of any cost keep them busy; `take` in the order of i and by one thread at a
/// time. At most 64 blocks a thread wait to be taken, whatever the count. Where the sweep is
/// stopped early, also by a point that throws `interrupted`, what was taken is a prefix. \returns
/// how many were taken \throws what the first point, in order, that throws does, once those before
/// it are taken; what `take` throws
template <class Point, class Take>
std::size_t ordered_map(std::size_t count, const sweep_control& control, const Point& point,
                        const Take& take) {
  using result_type = std::invoke_result_t<const Point&, std::size_t>;
  struct block_results {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::vector<result_type> results;
    std::exception_ptr fault;  // of the point after the last result
    bool cut = false;          // the point after the last result was interrupted
  };

  std::size_t next = 0;
  std::size_t taken = 0;
  // The first in order. It is thrown when the pipeline has ended: one that is torn by an exception
  // loses the blocks that wait in it.
  std::exception_ptr fault;
  bool cut = false;
  std::atomic<bool> ended = false;
  const auto open = [&]() -> std::shared_ptr<block_results> {
    if (next == count || ended || (control.stop && control.stop())) {
      return nullptr;
    }
    auto block = std::make_shared<block_results>();
    block->begin = next;
    block->end = next = std::min(count, next + control.block);
    return block;
  };
  const auto compute = [&](block_results& block) {
    block.results.reserve(block.end - block.begin);
    try {
      for (std::size_t i = block.begin; i < block.end; ++i) {
        block.results.push_back(point(i));
      }
    } catch (const interrupted&) {
      block.cut = true;
    } catch (...) {
      block.fault = std::current_exception();
    }
  };
  const auto close = [&](block_results& block) {
    if (fault || cut) {
      return;
    }
    try {
      for (std::size_t k = 0; k < block.results.size(); ++k) {
        take(block.begin + k, std::move(block.results[k]));
        ++taken;
      }
      fault = block.fault;
      cut = block.cut;
    } catch (...) {
      fault = std::current_exception();
    }
    ended = cut || fault != nullptr;
  };
  if (control.threads == 1 || count <= control.serial_up_to) {
    while (const auto block = open()) {
      compute(*block);
      close(*block);
    }
  } else {
    constexpr std::size_t waiting = 64;
    run_in_order(control.threads, waiting,
                 {.open = open,
                  .compute = [&](void* block) { compute(*static_cast<block_results*>(block)); },
                  .close = [&](void* block) { close(*static_cast<block_results*>(block)); }});
  }
  if (fault) {
    std::rethrow_exception(fault);
  }
  return taken;
}

/// results[i] = point(i) for i < count, in order; a prefix where the sweep is stopped early.
/// \param progress told after each result how many there are
/// \throws what the first point that throws, in order, throws
template <class Point>
auto parallel_map(std::size_t count, const sweep_control& control, const Point& point,
                  const std::function<void(std::size_t)>& progress = {}) {
  std::vector<std::invoke_result_t<const Point&, std::size_t>> results;
  results.reserve(count);
  ordered_map(count, control, point, [&](std::size_t, auto result) {
    results.push_back(std::move(result));
    if (progress) {
      progress(results.size());
    }
  });
  return results;
}

}  // namespace loradyn
