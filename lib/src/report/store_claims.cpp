#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <loradyn/report/store.hpp>
#include <sstream>
#include <string>
#include <utility>
#include "report/store_claims.hpp"

namespace loradyn {
namespace {

// A heartbeat is a write: not more often than this, in seconds.
constexpr std::int64_t heartbeat_interval = 20;

// When a living process started, in a form that no other process ever has; none where there is no
// such process. A killed one that its parent has not collected yet does not live.
std::optional<std::string> start_of(std::int64_t pid) {
  const auto line_of = [](const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
  };
  const std::string line = line_of("/proc/" + std::to_string(pid) + "/stat");
  // The name of the program stands in parentheses and may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return std::nullopt;
  }
  std::istringstream fields(line.substr(name_end + 1));
  std::string state;
  std::string start;
  fields >> state;
  constexpr int start_field = 22;  // the state is field 3
  for (int field = 4; field <= start_field; ++field) {
    fields >> start;
  }
  if (!fields || state == "Z" || state == "X") {
    return std::nullopt;
  }
  // The time counts from the start of the machine.
  return line_of("/proc/sys/kernel/random/boot_id") + " " + start;
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_recent(std::int64_t heartbeat, std::int64_t now) {
  const std::int64_t most = sweep_store::claim_lifetime.count();
  return heartbeat >= now - most && heartbeat <= now + most;  // by whatever clock
}

}  // namespace

void store_claims::register_worker() {
  const std::int64_t now = seconds_now();
  if (alive_.worker) {
    if (now - alive_.last_heartbeat < heartbeat_interval) {
      return;
    }
    beat_.run(*alive_.worker, now);
    if (db_.changes() == 0) {
      alive_.worker.reset();  // given up as dead after a long silence
    }
  }
  if (!alive_.worker) {
    const std::int64_t pid = ::getpid();
    insert_worker_.run(host_name(), pid, start_of(pid).value_or(""), now);
    alive_.worker = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(db_.get()));
  }
  alive_.last_heartbeat = now;
}

void store_claims::release(std::uint64_t who) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  claims_of_.start(who);
  while (claims_of_.step()) {
    ranges.emplace_back(claims_of_.unsigned_at(0), claims_of_.unsigned_at(1));
  }
  for (const auto& [first, count] : ranges) {
    unfinished_runs(first, first + count, count, [this](std::uint64_t begin, std::uint64_t size) {
      insert_unclaimed_.run(begin, size);
    });
  }
  delete_claims_of_.run(who);
  delete_worker_.run(who);
}

void store_claims::release_dead() {
  std::vector<std::uint64_t> dead;
  const std::string here = host_name();
  const std::int64_t now = seconds_now();
  workers_.start();
  while (workers_.step()) {
    const bool alive = workers_.text_at(1) == here
                           ? start_of(workers_.integer_at(2)) == workers_.text_at(3)
                           : is_recent(workers_.integer_at(4), now);
    if (!alive) {
      dead.push_back(workers_.unsigned_at(0));
    }
  }
  for (const std::uint64_t who : dead) {
    release(who);
  }
}

bool store_claims::release_orphans() {
  std::vector<std::uint64_t> orphaned;
  orphaned_claims_.start();
  while (orphaned_claims_.step()) {
    orphaned.push_back(orphaned_claims_.unsigned_at(0));
  }
  for (const std::uint64_t who : orphaned) {
    release(who);
  }
  return !orphaned.empty();
}

std::vector<std::uint64_t> store_claims::claim(std::size_t wanted, std::uint64_t total) {
  std::vector<std::uint64_t> cells;
  const auto take = [&](std::uint64_t first, std::uint64_t end) {
    return unfinished_runs(first, std::min(end, total), wanted - cells.size(),
                           [&](std::uint64_t begin, std::uint64_t size) {
                             insert_claim_.run(begin, size, *alive_.worker);
                             for (std::uint64_t i = 0; i < size; ++i) {
                               cells.push_back(begin + i);
                             }
                           });
  };
  while (cells.size() < wanted) {
    first_unclaimed_.start();
    if (!first_unclaimed_.step()) {
      break;
    }
    const std::uint64_t first = first_unclaimed_.unsigned_at(0);
    const std::uint64_t end = first + first_unclaimed_.unsigned_at(1);
    first_unclaimed_.start();
    delete_unclaimed_.run(first);
    if (db_.changes() == 0) {  // it would be taken again and again
      db_.damaged("an unclaimed range has no first cell");
    }
    const std::uint64_t next = take(first, end);
    if (next < end && cells.size() == wanted) {
      insert_unclaimed_.run(next, end - next);
    }
  }
  const std::uint64_t begin = frontier_.number().value_or(0);
  const std::uint64_t next = take(begin, total);
  if (next != begin) {
    move_frontier_.run(next);
  }
  return cells;
}

bool store_claims::any() { return any_claim_.number().has_value(); }

void store_claims::finish(std::uint64_t finished) {
  if (finished < now_.first || finished >= now_.end) {
    settle();
    claim_before_.start(finished);
    if (claim_before_.step()) {
      now_.first = claim_before_.unsigned_at(0);
      now_.end = now_.first + claim_before_.unsigned_at(1);
    }
    claim_before_.start();
  }
  now_.done += finished >= now_.first && finished < now_.end ? 1 : 0;
}

void store_claims::settle() {
  if (now_.done > 0) {
    shrink_claim_.run(now_.first, now_.done);
    drop_claim_.run(now_.first);
  }
  now_ = {};
}

}  // namespace loradyn
