#include "clients/cpp/sim/sim_main.h"

int main(int argc, char** argv) { return kinora::SimMain(argc, argv); }
