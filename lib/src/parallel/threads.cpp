#include <loradyn/parallel/threads.hpp>

#ifdef LORADYN_HAS_TBB
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/parallel_pipeline.h>
#include <oneapi/tbb/task_arena.h>
#endif

namespace loradyn {

#ifdef LORADYN_HAS_TBB

namespace tbb = oneapi::tbb;

std::size_t available_threads() {
  return static_cast<std::size_t>(tbb::info::default_concurrency());
}

void on_threads(std::size_t threads, const std::function<void()>& work) {
  const int wanted = static_cast<int>(threads);
  tbb::task_arena arena(wanted);
  arena.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int>(0, wanted, 1),
        [&](const auto& range) {
          for (int i = range.begin(); i < range.end(); ++i) {
            work();
          }
        },
        tbb::simple_partitioner());
  });
}

void run_in_order(std::size_t threads, std::size_t waiting, const ordered_line& line) {
  using token = std::shared_ptr<void>;
  tbb::task_arena arena(threads == 0 ? tbb::task_arena::automatic : static_cast<int>(threads));
  arena.execute([&] {
    const auto tokens = waiting * static_cast<std::size_t>(arena.max_concurrency());
    tbb::parallel_pipeline(tokens, tbb::make_filter<void, token>(tbb::filter_mode::serial_in_order,
                                                                 [&](tbb::flow_control& flow) {
                                                                   token item = line.open();
                                                                   if (!item) {
                                                                     flow.stop();
                                                                   }
                                                                   return item;
                                                                 }) &
                                       tbb::make_filter<token, token>(tbb::filter_mode::parallel,
                                                                      [&](token item) {
                                                                        line.compute(item.get());
                                                                        return item;
                                                                      }) &
                                       tbb::make_filter<token, void>(
                                           tbb::filter_mode::serial_in_order,
                                           [&](const token& item) { line.close(item.get()); }));
  });
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
