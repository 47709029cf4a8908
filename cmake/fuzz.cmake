# tests/fuzz/fuzz_*.c become libFuzzer programs in BUILD/tests/fuzz, with everything that they run instrumented:
#   CC=clang cmake -B build/fuzz -G Ninja -DBATON_FUZZ=ON -DBATON_TESTS=OFF && ninja -C build/fuzz
#   build/fuzz/tests/fuzz/fuzz_agreement -max_total_time=10 CORPUS_FOLDER tests/agreements/good
# Included before the rooms, as their objects must carry the instrumentation, too.
if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "BATON_FUZZ needs clang: configure with CC=clang")
endif()
add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g
                    -UNDEBUG)
add_link_options(-fsanitize=address,undefined)

function(baton_fuzz_programs)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_*.c)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz)
    target_link_libraries(${name} PRIVATE baton_fetch baton_pipeline baton_codec baton_config baton_agreement baton_domain baton_text
                          baton_yaml baton_base)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_compile_options(${name} PRIVATE -Wno-missing-prototypes)
  endforeach()
endfunction()
cmake_language(DEFER CALL baton_fuzz_programs)
