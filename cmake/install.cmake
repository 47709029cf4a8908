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
  # Manual pages and completions come out of the program itself.
  set(BATON_MADE ${CMAKE_BINARY_DIR}/made)
  add_custom_command(TARGET baton POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -E make_directory ${BATON_MADE}/man ${BATON_MADE}/completion
    COMMAND baton man --all ${BATON_MADE}/man
    COMMAND sh -c "\"$1\" completion bash >\"$2\"/baton.bash && \"$1\" completion zsh >\"$2\"/_baton && \"$1\" completion fish >\"$2\"/baton.fish"
            sh $<TARGET_FILE:baton> ${BATON_MADE}/completion)
  install(DIRECTORY ${BATON_MADE}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
  install(FILES ${BATON_MADE}/completion/baton.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME baton)
  install(FILES ${BATON_MADE}/completion/_baton DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${BATON_MADE}/completion/baton.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()
install(DIRECTORY schemas/ DESTINATION ${CMAKE_INSTALL_DATADIR}/baton/schemas)
# The program carries this list.
install(FILES data/crawlers/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/baton/licenses RENAME crawler-user-agents)
