#include <loradyn/parallel/threads.hpp>

#ifdef LORADYN_HAS_TBB
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#include <vector>
#ifdef LORADYN_TELLS_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#endif

namespace loradyn {

#ifdef LORADYN_HAS_TBB

namespace tbb = oneapi::tbb;

namespace {

// ThreadSanitizer sees neither into oneTBB's library nor, for what that does with them, into what
// its templates make of this file, which is built without it. What comes before what is told to it
// here, as oneTBB promises it and no more.
void comes_before([[maybe_unused]] const void* mark) {
#ifdef LORADYN_TELLS_TSAN
  __tsan_release(const_cast<void*>(mark));
#endif
}

void comes_after([[maybe_unused]] const void* mark) {
#ifdef LORADYN_TELLS_TSAN
  __tsan_acquire(const_cast<void*>(mark));
#endif
}

constexpr char begun = 0;
constexpr char ended = 0;
constexpr char opened = 0;
constexpr char closed = 0;

}  // namespace

std::size_t available_threads() {
  return static_cast<std::size_t>(tbb::info::default_concurrency());
}

void on_threads(std::size_t threads, const std::function<void()>& work) {
  const int wanted = static_cast<int>(threads);
  tbb::task_arena arena(wanted);
  comes_before(&begun);
  arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int>(0, wanted, 1),
        [&](const auto& range) {
          for (int i = range.begin(); i < range.end(); ++i) {
            comes_after(&begun);
            work();
            comes_before(&ended);
          }
        },
        tbb::simple_partitioner());
  });
  comes_after(&ended);
}

void run_in_order(std::size_t threads, std::size_t waiting, const ordered_line& line) {
  using place = std::shared_ptr<void>*;
  std::size_t next = 0;
  // In flight: each place is taken again once its item is closed.
  std::vector<std::shared_ptr<void>> items;
  const auto open = [&](tbb::flow_control& flow) {
    comes_after(&opened);
    const place item = &items[next++ % items.size()];
    comes_after(item);
    *item = line.open();
    if (!*item) {
      flow.stop();
    }
    comes_before(&opened);
    comes_before(item);
    return item;
  };
  const auto compute = [&](place item) {
    comes_after(item);
    line.compute(item->get());
    comes_before(item);
    return item;
  };
  const auto close = [&](place item) {
    comes_after(item);
    comes_after(&closed);
    line.close(item->get());
    item->reset();
    comes_before(&closed);
    comes_before(item);
  };
  tbb::task_arena arena(threads == 0 ? tbb::task_arena::automatic : static_cast<int>(threads));
  arena.execute([&] {
    items.resize(waiting * static_cast<std::size_t>(arena.max_concurrency()));
    const auto steps = tbb::make_filter<void, place>(tbb::filter_mode::serial_in_order, open) &
                       tbb::make_filter<place, place>(tbb::filter_mode::parallel, compute) &
                       tbb::make_filter<place, void>(tbb::filter_mode::serial_in_order, close);
    comes_before(&opened);
    tbb::parallel_pipeline(items.size(), steps);
  });
  comes_after(&opened);
  comes_after(&closed);
}

#else

std::size_t available_threads() { return 1; }

void on_threads(std::size_t /*threads*/, const std::function<void()>& work) { work(); }

void run_in_order(std::size_t /*threads*/, std::size_t /*waiting*/, const ordered_line& line) {
  while (const std::shared_ptr<void> item = line.open()) {
    line.compute(item.get());
    line.close(item.get());
  }
}

#endif

}  // namespace loradyn
