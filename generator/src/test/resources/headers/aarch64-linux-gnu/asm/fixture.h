#ifndef ASM_FIXTURE_H
#define ASM_FIXTURE_H

struct of_the_target {
	unsigned long long a;
};
#define FIXTURE_DIFFERS 2

#endif
