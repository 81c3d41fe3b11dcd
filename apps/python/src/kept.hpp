#pragma once

// A map that forgets what was not used for longest.

#include <cstddef>
#include <list>
#include <map>
#include <utility>

namespace loradyn::python {

template <class Key, class Value>
class kept {
 public:
  explicit kept(std::size_t most) : most_(most) {}

  // The value of a key, or null. It counts as used.
  Value* find(const Key& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) {
      return nullptr;
    }
    values_.splice(values_.begin(), values_, found->second);
    return &found->second->second;
  }

  Value& add(const Key& key, Value value) {
    values_.emplace_front(key, std::move(value));
    places_[key] = values_.begin();
    if (places_.size() > most_) {
      places_.erase(values_.back().first);
      values_.pop_back();
    }
    return values_.front().second;
  }

 private:
  std::size_t most_;
  std::list<std::pair<Key, Value>> values_;  // the last used first
  std::map<Key, typename std::list<std::pair<Key, Value>>::iterator> places_;
};

}  // namespace loradyn::python
