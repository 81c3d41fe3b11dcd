# Run by cpack on the tree that becomes the package: Debian's places, its copyright file and its changelog.
set(tree ${CPACK_TEMPORARY_DIRECTORY}/usr)
set(docs ${tree}/share/doc/loradyn)
set(sources ${CMAKE_CURRENT_LIST_DIR}/../..)

# Debian's Python looks into dist-packages; the other place is for an interpreter of a prefix of its own.
file(GLOB packages ${tree}/lib/python3.*/site-packages)
foreach(package ${packages})
  file(MAKE_DIRECTORY ${tree}/lib/python3)
  file(RENAME ${package} ${tree}/lib/python3/dist-packages)
  cmake_path(GET package PARENT_PATH emptied)
  file(REMOVE_RECURSE ${emptied})
endforeach()

# It would have all depend on an MPI; who has one builds from source.
file(REMOVE ${tree}/lib/loradyn/loradyn-mpi.so)

file(MAKE_DIRECTORY ${docs})
file(READ ${sources}/LICENSE license)
string(REGEX MATCH "Copyright[^\n]*" holder "${license}")
string(REGEX REPLACE "^.*\n(Permission is hereby)" "\\1" license "${license}")
string(STRIP "${license}" license)
string(REPLACE "\n\n" "\n.\n" license "${license}")
string(REPLACE "\n" "\n " license "${license}")
file(WRITE ${docs}/copyright
     "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: loradyn\n\n"
     "Files: *\nCopyright: ${holder}\nLicense: Expat\n\nLicense: Expat\n ${license}\n")
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${docs}/changelog.Debian
     "loradyn (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
     "  * Made by cpack; changelog.gz tells what is new.\n\n -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
file(COPY_FILE ${sources}/docs/changelog.md ${docs}/changelog)
execute_process(COMMAND gzip -9n ${docs}/changelog ${docs}/changelog.Debian ${tree}/share/man/man1/loradyn.1
                COMMAND_ERROR_IS_FATAL ANY)

file(GLOB archives ${tree}/lib/*.a)
execute_process(COMMAND strip --strip-unneeded --remove-section=.comment --remove-section=.note ${archives}
                COMMAND_ERROR_IS_FATAL ANY)
# Whatever the umask.
execute_process(COMMAND chmod -R u=rwX,go=rX ${tree} COMMAND_ERROR_IS_FATAL ANY)
