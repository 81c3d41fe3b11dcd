# A Debian package of what is installed: `cpack --config build/release/CPackConfig.cmake`. What only Debian asks for is done
# in the staged tree, by debian.cmake.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME loradyn)
# Whoever publishes a package puts their address here: -DLORADYN_PACKAGE_CONTACT=…
set(LORADYN_PACKAGE_CONTACT "The loradyn authors <loradyn@example.org>" CACHE STRING "Who answers for a package")
set(CPACK_PACKAGE_CONTACT ${LORADYN_PACKAGE_CONTACT})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "high-dimensional theory of LoRA fine-tuning")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "How long LoRA fine-tuning searches, as a function of what pre-training
knew: the deterministic limit of one-pass SGD in the Gaussian
single-index model, its search phase, equilibria and outcomes, the law
of the escape time, and exact simulations at finite dimension.
The program, a C++20 library with its headers, and a module of Python.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(LORADYN_BUILD_PYTHON)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "python3 (>= 3.11), python3 (<< 3.12), python3-numpy")
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "libboost-dev, libeigen3-dev, libfmt-dev, libsqlite3-dev, libtbb-dev, python3-pandas, python3-matplotlib")
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
include(CPack)
