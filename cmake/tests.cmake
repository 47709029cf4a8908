# tests/unit/test_NAME.c and tests/adapters/test_NAME.c become Criterion programs of those names;
# tests/tsan/NAME.c become plain programs (Criterion does not run under ThreadSanitizer).
enable_testing()
pkg_check_modules(CRITERION IMPORTED_TARGET criterion>=2.3)
pkg_check_modules(XXHASH IMPORTED_TARGET libxxhash)
set(BATON_ROOMS baton_commands baton_report baton_backtest baton_schemas baton_pipeline baton_crawlers baton_kafka baton_fetch baton_redis baton_memory baton_codec baton_config baton_agreement baton_messages baton_pact baton_domain
    baton_text baton_yaml baton_base)
set(BATON_TEST_LIBRARIES baton_bench_latency baton_bench_stages baton_bench PkgConfig::RDKAFKA PkgConfig::LZ4 PkgConfig::AVRO PkgConfig::HIREDIS PkgConfig::JANSSON PkgConfig::CURL
    OpenSSL::Crypto Threads::Threads m)

function(baton_tests folder pattern)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${folder}/${pattern})
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${folder}_${name} ${source})
    set_target_properties(${folder}_${name} PROPERTIES OUTPUT_NAME ${name}
                          RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/${folder})
    target_link_libraries(${folder}_${name} PRIVATE ${BATON_ROOMS} ${BATON_TEST_LIBRARIES} ${ARGN})
    target_include_directories(${folder}_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(${folder}_${name} PRIVATE BATON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_compile_options(${folder}_${name} PRIVATE -Wno-conversion -Wno-shadow -Wno-missing-prototypes -Wno-unused-function)
    add_test(NAME ${folder}/${name} COMMAND ${folder}_${name})
  endforeach()
endfunction()

if(CRITERION_FOUND AND NOT BATON_SANITIZE STREQUAL "thread")
  baton_tests(unit test_*.c PkgConfig::CRITERION PkgConfig::XXHASH)
  baton_tests(adapters test_*.c PkgConfig::CRITERION)
endif()
baton_tests(tsan *.c)
