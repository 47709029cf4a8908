# The pure core as a library for others: domain, and what it needs of base under names that are its own.
add_library(baton_core STATIC ${CMAKE_SOURCE_DIR}/src/base/hash.c ${CMAKE_SOURCE_DIR}/src/base/number.c)
file(GLOB BATON_CORE_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/domain/*.c)
target_sources(baton_core PRIVATE ${BATON_CORE_SOURCES})
target_include_directories(baton_core PRIVATE ${BATON_HEADERS}/domain ${BATON_HEADERS}/base ${CMAKE_SOURCE_DIR}/include)
target_compile_options(baton_core PRIVATE -include ${CMAKE_SOURCE_DIR}/cmake/library_names.h)
set_target_properties(baton_core PROPERTIES OUTPUT_NAME baton POSITION_INDEPENDENT_CODE ON)

# The .pc file finds its prefix from where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH BATON_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/baton.pc.in baton.pc @ONLY)

install(TARGETS baton_core ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY include/baton DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(FILES ${CMAKE_BINARY_DIR}/baton.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)

if(TARGET baton)
  install(TARGETS baton RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/baton/schemas)
