// The cells that one process sends to another are read, or refused with an error; what is read has
// the bytes that it was read from.

#include <loradyn/error.hpp>
#include <loradyn/report/store.hpp>
#include <span>
#include <vector>

#include "fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace loradyn;
  const std::vector<char> bytes(data, data + size);
  try {
    fuzz::require(packed(unpacked(bytes)) == bytes,
                  "cells have the bytes that they were read from");
  } catch (const error&) {
  }
  return 0;
}
