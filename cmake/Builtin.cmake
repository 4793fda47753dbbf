# SPDX-License-Identifier: Apache-2.0
# What is built in is a file of configs/ itself: its bytes become `symbol`, which `header` declares, a source of `target`.
function(mtls_builtin target header symbol file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
    file(READ ${CMAKE_SOURCE_DIR}/${file} bytes HEX)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
    configure_file(${CMAKE_SOURCE_DIR}/cmake/builtin.c.in ${CMAKE_BINARY_DIR}/${symbol}.c @ONLY)
    target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/${symbol}.c)
endfunction()
