# cmake --install: the program, the library, its headers under include/heed, and what find_package(heed) reads.
include(CMakePackageConfigHelpers)

set(HEED_CONFIG_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/heed)
install(TARGETS heed_library EXPORT heedTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET heed)
  install(TARGETS heed RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/heed/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/heed
  FILES_MATCHING PATTERN "*.h" PATTERN "cli" EXCLUDE PATTERN "kernels/cpu" EXCLUDE)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT heedTargets NAMESPACE heed:: DESTINATION ${HEED_CONFIG_FOLDER})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/heedConfig.cmake.in ${CMAKE_BINARY_DIR}/heedConfig.cmake
  INSTALL_DESTINATION ${HEED_CONFIG_FOLDER})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/heedConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/heedConfig.cmake ${CMAKE_BINARY_DIR}/heedConfigVersion.cmake
  DESTINATION ${HEED_CONFIG_FOLDER})
