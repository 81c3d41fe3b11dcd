# Installs the build, moves it and builds the example against it: with the sum, and with the core alone, which
# finds and links nothing but Boost and Eigen.

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output
                  ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGV} failed:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(heavy TBB SQLite3 HDF5 fmt nlohmann_json)
list(TRANSFORM heavy REPLACE "(.+)" "-DCMAKE_DISABLE_FIND_PACKAGE_\\1=ON" OUTPUT_VARIABLE core_alone)

# The example against loradyn::${part}, configured with the other arguments.
function(build part)
  run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/${part} -G ${GENERATOR} -DPART=${part}
      -DCMAKE_CXX_COMPILER=${CXX} "-DCMAKE_CXX_FLAGS=${FLAGS}" ${ARGN})
  run(${CMAKE_COMMAND} --build ${WORK_DIR}/${part})
  run(${WORK_DIR}/${part}/downstream)
  if(NOT output MATCHES "tau = 0.501981" OR NOT output MATCHES "mu_c = 0.32072434732306")
    message(FATAL_ERROR "the example printed\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${WORK_DIR}/prefix)
file(RENAME ${WORK_DIR}/prefix ${WORK_DIR}/moved)

file(GLOB_RECURSE exported ${WORK_DIR}/moved/*.cmake)
foreach(file ${exported})
  file(STRINGS ${file} lines)
  foreach(line IN LISTS lines)
    # Names of targets and of files beside it, not of files of the machine.
    if(line MATCHES "[\"; ]/[A-Za-z]" AND NOT line MATCHES "^ *#")
      message(FATAL_ERROR "${file} names a file of this machine:\n${line}")
    endif()
  endforeach()
endforeach()
if(NOT exported)
  message(FATAL_ERROR "nothing is exported")
endif()

build(loradyn -DCMAKE_PREFIX_PATH=${WORK_DIR}/moved)
build(core -DCMAKE_PREFIX_PATH=${WORK_DIR}/moved ${core_alone})
run(ldd ${WORK_DIR}/core/downstream)
if(output MATCHES "tbb|sqlite|hdf5|fmt")
  message(FATAL_ERROR "a program of the core links\n${output}")
endif()
# As a part of another build, configured only: its sources are built elsewhere.
run(${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${WORK_DIR}/fetched -G ${GENERATOR} -DPART=core
    -DLORADYN_SOURCES=${LORADYN_SOURCES} -DCMAKE_CXX_COMPILER=${CXX} ${core_alone})
