/* build/release/baton-demo: what deploy/demo runs. */
#include "demo/demo.h"

int main(int argc, char **argv)
{
    return demo_main(argc, argv);
}
