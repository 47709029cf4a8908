/* The demo from its command line to its exit code. */
#ifndef DEMO_DEMO_H
#define DEMO_DEMO_H

int demo_main(int argc, char **argv);

#endif
