# SPDX-License-Identifier: Apache-2.0
# The built-in plan is configs/pki.yaml itself: its bytes become plan_builtin (ca/plan.h), a source of mtls_ca.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/configs/pki.yaml)
file(READ ${CMAKE_SOURCE_DIR}/configs/pki.yaml PLAN_BYTES HEX)
string(REGEX REPLACE "(..)" "0x\\1," PLAN_BYTES "${PLAN_BYTES}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/plan_builtin.c.in ${CMAKE_BINARY_DIR}/plan_builtin.c @ONLY)
target_sources(mtls_ca PRIVATE ${CMAKE_BINARY_DIR}/plan_builtin.c)
