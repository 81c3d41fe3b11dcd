# Runs a fuzzer from its corpus, which stays as it is: what it finds goes to WORK_DIR, an input that
# fails among it. LORADYN_FUZZ_SECONDS in the environment says how long, or else ten seconds.
set(seconds 10)
if(DEFINED ENV{LORADYN_FUZZ_SECONDS})
  set(seconds $ENV{LORADYN_FUZZ_SECONDS})
endif()
set(words)
if(EXISTS ${DICTIONARY})
  set(words -dict=${DICTIONARY})
endif()
file(MAKE_DIRECTORY ${WORK_DIR}/corpus)
execute_process(
  COMMAND ${FUZZER} -max_total_time=${seconds} -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
          ${words} ${WORK_DIR}/corpus ${CORPUS}
  WORKING_DIRECTORY ${WORK_DIR} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${FUZZER} ended with ${status}; the input is in ${WORK_DIR}")
endif()
