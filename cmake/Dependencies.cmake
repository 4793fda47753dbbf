# SPDX-License-Identifier: Apache-2.0
# The parts mtls is built from, each as one target mtls::<part>.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

include(MbedTLS)

foreach(part IN ITEMS sqlite:sqlite3 uv:libuv jansson:jansson cyaml:libcyaml yaml:yaml-0.1 pcap:libpcap)
    string(REPLACE ":" ";" pair ${part})
    list(GET pair 0 name)
    list(GET pair 1 package)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${package})
    add_library(mtls::${name} ALIAS PkgConfig::${name})
endforeach()
target_link_libraries(PkgConfig::cyaml INTERFACE PkgConfig::yaml) # positions of nodes come from libyaml itself

# llhttp is in Debian 13 and newer; on Debian 12 scripts/setup unpacks the newer package, whose paths inside the
# .pc file are those of an installed one. It is small: the static library is linked.
find_path(LLHTTP_INCLUDE llhttp.h HINTS ${CMAKE_SOURCE_DIR}/.deps/llhttp/usr/include)
file(GLOB llhttp_folders ${CMAKE_SOURCE_DIR}/.deps/llhttp/usr/lib/*)
find_library(LLHTTP_LIBRARY NAMES libllhttp.a llhttp HINTS ${llhttp_folders})
if(NOT LLHTTP_INCLUDE OR NOT LLHTTP_LIBRARY)
    message(FATAL_ERROR "llhttp was not found: run scripts/setup, or install libllhttp-dev")
endif()
add_library(mtls::llhttp UNKNOWN IMPORTED)
set_target_properties(mtls::llhttp PROPERTIES IMPORTED_LOCATION ${LLHTTP_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${LLHTTP_INCLUDE})

if(BUILD_TESTING)
    pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
    add_library(mtls::cmocka ALIAS PkgConfig::cmocka)
endif()
