# SPDX-License-Identifier: Apache-2.0
# mbedTLS 3.6 LTS as mtls::mbedtls. Where its source comes from, first that works:
#   -DMTLS_SYSTEM_MBEDTLS=ON                  the distribution's own 3.6, already built
#   -DMTLS_MBEDTLS_SOURCE=<folder or tarball> yours
#   .deps/mbedtls                             what scripts/setup laid there
#   upstream's release tarball, by its SHA-256
option(MTLS_SYSTEM_MBEDTLS "Use the installed mbedTLS 3.6 instead of building it" OFF)
set(MTLS_MBEDTLS_SOURCE "" CACHE PATH "Folder or tarball with the source of mbedTLS 3.6")

if(MTLS_SYSTEM_MBEDTLS)
    find_path(MBEDTLS_INCLUDE mbedtls/ssl.h REQUIRED)
    add_library(mtls_mbedtls INTERFACE)
    target_include_directories(mtls_mbedtls SYSTEM INTERFACE ${MBEDTLS_INCLUDE})
    foreach(library IN ITEMS mbedtls mbedx509 mbedcrypto)
        find_library(${library}_FOUND_LIBRARY ${library} REQUIRED)
        target_link_libraries(mtls_mbedtls INTERFACE ${${library}_FOUND_LIBRARY})
    endforeach()
else()
    include(FetchContent)
    set(source SOURCE_DIR ${CMAKE_SOURCE_DIR}/.deps/mbedtls)
    if(MTLS_MBEDTLS_SOURCE AND IS_DIRECTORY ${MTLS_MBEDTLS_SOURCE})
        set(source SOURCE_DIR ${MTLS_MBEDTLS_SOURCE})
    elseif(MTLS_MBEDTLS_SOURCE)
        set(source URL ${MTLS_MBEDTLS_SOURCE})
    elseif(NOT EXISTS ${CMAKE_SOURCE_DIR}/.deps/mbedtls/CMakeLists.txt)
        set(source
            URL https://github.com/Mbed-TLS/mbedtls/releases/download/mbedtls-3.6.7/mbedtls-3.6.7.tar.bz2
            URL_HASH SHA256=a7e8bcbec0e6f761b4af24f25677626b35f762f68eef79c08677a363212d11f6)
    endif()
    FetchContent_Declare(mbedtls ${source} DOWNLOAD_EXTRACT_TIMESTAMP ON)

    set(ENABLE_TESTING OFF CACHE INTERNAL "")
    set(ENABLE_PROGRAMS OFF CACHE INTERNAL "")
    set(MBEDTLS_FATAL_WARNINGS OFF CACHE INTERNAL "")
    set(MBEDTLS_AS_SUBPROJECT ON)
    set(MBEDTLS_USER_CONFIG_FILE ${CMAKE_SOURCE_DIR}/configs/mbedtls_user_config.h CACHE INTERNAL "")
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
    set(previous_export ${CMAKE_EXPORT_COMPILE_COMMANDS})
    set(CMAKE_EXPORT_COMPILE_COMMANDS OFF) # clang-tidy reads our files, not mbedTLS's
    FetchContent_GetProperties(mbedtls)
    if(NOT mbedtls_POPULATED)
        FetchContent_Populate(mbedtls)
        add_subdirectory(${mbedtls_SOURCE_DIR} ${mbedtls_BINARY_DIR} EXCLUDE_FROM_ALL)
    endif()
    set(CMAKE_EXPORT_COMPILE_COMMANDS ${previous_export})
    target_sources(mbedcrypto PRIVATE ${CMAKE_SOURCE_DIR}/configs/mbedtls_ms_time.c) # MBEDTLS_PLATFORM_MS_TIME_ALT

    add_library(mtls_mbedtls INTERFACE)
    target_link_libraries(mtls_mbedtls INTERFACE mbedtls mbedx509 mbedcrypto)
    foreach(library IN ITEMS mbedtls mbedx509 mbedcrypto)
        # Its headers are not ours to warn about; and its arithmetic is optimised in every build, or tests take minutes.
        get_target_property(folders ${library} INTERFACE_INCLUDE_DIRECTORIES)
        set_target_properties(${library} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${folders}")
        target_compile_options(${library} PRIVATE $<IF:$<CONFIG:Release>,-O3,-O2>)
    endforeach()
endif()
add_library(mtls::mbedtls ALIAS mtls_mbedtls)
