#ifndef ASM_FIXTURE_H
#define ASM_FIXTURE_H

struct of_the_target {
	unsigned int a;
	unsigned int b;
};
#define FIXTURE_ONLY_HERE 1
#define FIXTURE_DIFFERS 1

#endif
