#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <loradyn/error.hpp>
#include <loradyn/interruption.hpp>
#include <loradyn/report/helper.hpp>
#include <loradyn/report/mpi_module.hpp>
#include <loradyn/report/ranks.hpp>
#include <optional>
#include <string>
#include <thread>

namespace loradyn {

using study::planned_cell;

namespace {

constexpr int answer_tag = 1;
constexpr int block_tag = 2;

// How many processes the launcher that started this one says it started: Open MPI's, and those that
// speak PMI or PMIx. One where none did.
int launched() {
  for (const char* size : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* text = std::getenv(size)) {
      return std::atoi(text);
    }
  }
  if (std::getenv("PMIX_RANK") != nullptr) {
    const char* tasks = std::getenv("SLURM_NTASKS");
    return tasks == nullptr ? 2 : std::atoi(tasks);  // the module tells
  }
  return 1;
}

const mpi_calls& load_mpi() {
  const std::string file = helper_file("loradyn-mpi.so", "a run under mpirun or srun").string();
  // Open MPI's own modules look for its symbols among everybody's.
  void* module = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  const void* calls = module == nullptr ? nullptr : ::dlsym(module, mpi_calls_symbol);
  if (calls == nullptr) {
    const char* why = ::dlerror();
    throw error("'" + file + "' can't be loaded: " + (why == nullptr ? "it is empty" : why));
  }
  return *static_cast<const mpi_calls*>(calls);
}

template <class Value>
void send(const mpi_calls& mpi, const std::vector<Value>& values, int to, int tag) {
  mpi.send(values.data(), values.size() * sizeof(Value), to, tag);
}

// A message that waits, or none.
template <class Value>
std::optional<std::vector<Value>> received(const mpi_calls& mpi, int from, int tag, int& sender) {
  std::size_t size = 0;
  if (!mpi.probe(from, tag, &sender, &size)) {
    return std::nullopt;
  }
  std::vector<Value> values(size / sizeof(Value));
  mpi.receive(values.data(), size, sender, tag);
  return values;
}

// Pauses between looks: short at first, for the next message mostly comes soon.
class patience {
 public:
  void pause() {
    std::this_thread::sleep_for(pause_);
    constexpr std::chrono::microseconds longest(2000);
    pause_ = std::min(2 * pause_, longest);
  }

 private:
  std::chrono::microseconds pause_{5};
};

}  // namespace

ranks::ranks() {
  if (launched() == 1) {
    return;
  }
  mpi_ = &load_mpi();
  mpi_->start(&rank_, &size_);
  if (rank_ > 0 && (std::freopen("/dev/null", "w", stdout) == nullptr ||
                    std::freopen("/dev/null", "w", stderr) == nullptr)) {
    throw error("/dev/null can't be opened");
  }
}

ranks::~ranks() {
  if (mpi_ == nullptr) {
    return;
  }
  mpi_->finish();
  // A launcher kills every rank as soon as one ends with a fault: the leader tells it first.
  if (rank_ > 0 && std::uncaught_exceptions() > 0) {
    constexpr std::chrono::milliseconds head_start(500);
    std::this_thread::sleep_for(head_start);
  }
}

void ranks::lead(const leader& l) const {
  std::vector<std::vector<planned_cell>> given(static_cast<std::size_t>(size_));
  std::vector<int> idle;
  int answers_due = size_ - 1;  // each asks first
  bool dismissed = false;
  const auto dismiss = [&] {
    for (int who = 1; who < size_ && !dismissed; ++who) {
      send(*mpi_, std::vector<planned_cell>(), who, block_tag);
    }
    dismissed = true;
  };
  // Where this rank fails the others are sent home all the same.
  std::exception_ptr fault;
  const auto guarded = [&fault](const auto& body) {
    if (!fault) {
      try {
        body();
      } catch (...) {
        fault = std::current_exception();
      }
    }
  };
  patience until_answer;
  while (answers_due > 0) {
    if (fault || stop_requested()) {
      dismiss();
    }
    int who = 0;
    const auto answer = received<char>(*mpi_, -1, answer_tag, who);
    if (!answer) {
      until_answer.pause();
      continue;
    }
    until_answer = {};
    --answers_due;
    std::vector<kept_cell> done = unpacked(*answer);
    std::vector<planned_cell>& block = given[static_cast<std::size_t>(who)];
    if (done.size() < block.size()) {
      std::erase_if(block, [&done](const planned_cell& c) {
        return std::any_of(done.begin(), done.end(),
                           [&c](const kept_cell& d) { return d.cell == c.cell; });
      });
      guarded([&] { l.give_back(block); });
    } else {
      idle.push_back(who);
    }
    block.clear();
    if (!done.empty()) {
      guarded([&] { l.take(std::move(done)); });
    }
    while (!idle.empty() && !dismissed) {
      std::vector<planned_cell> next;
      guarded([&] { next = l.next(); });
      if (next.empty()) {
        break;
      }
      send(*mpi_, next, idle.back(), block_tag);
      ++answers_due;
      given[static_cast<std::size_t>(idle.back())] = std::move(next);
      idle.pop_back();
    }
  }
  dismiss();
  if (fault) {
    std::rethrow_exception(fault);
  }
}

void ranks::follow(
    const std::function<std::vector<kept_cell>(const std::vector<planned_cell>&)>& compute) const {
  int sender = 0;
  send(*mpi_, std::vector<char>(), 0, answer_tag);
  patience until_block;
  for (bool dismissed = false; !dismissed;) {
    const auto block = received<planned_cell>(*mpi_, 0, block_tag, sender);
    if (!block) {
      until_block.pause();
      continue;
    }
    until_block = {};
    if (block->empty()) {
      return;
    }
    // In a thread of its own: this one alone may ask MPI whether the leader stops.
    std::future<std::vector<kept_cell>> computing =
        std::async(std::launch::async, [&] { return compute(*block); });
    constexpr std::chrono::milliseconds until_leader_is_looked_at(20);
    while (computing.wait_for(until_leader_is_looked_at) != std::future_status::ready) {
      if (!dismissed && received<planned_cell>(*mpi_, 0, block_tag, sender)) {
        dismissed = true;
        request_stop();
      }
    }
    send(*mpi_, packed(computing.get()), 0, answer_tag);
  }
}

}  // namespace loradyn
