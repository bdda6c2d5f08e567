// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tier: the tools themselves can fail. Each case here is a test that must not pass, run with
 * its output kept: a false assertion, a crash, a hang, a leak, and every misstep that the stand-in
 * headers are there to catch.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/cpuhotplug.h>

#include "zone.h"

struct self_case {
	void			(*run)(const void *arg);
	enum ktap_outcome	outcome;
	const char		*says;	/* found in its output */
};

static spinlock_t lock;
static unsigned long flags;
static struct list_head head, other, entry, second, third;

static void lists(void)
{
	INIT_LIST_HEAD(&head);
	INIT_LIST_HEAD(&other);
	list_add(&entry, &head);
	list_add_tail(&second, &head);
}

/* --- the runner --- */

static void passes(const void *arg)
{
}

static void false_assertion(const void *arg)
{
	ASSERT(arg);
}

static void false_equality(const void *arg)
{
	ASSERT_EQ(arg ? 1 : 2, 3);
}

static void false_text(const void *arg)
{
	ASSERT_STR(arg ? "" : "this", "that");
}

static void skips(const void *arg)
{
	ktap_skip("for a reason");
}

static void dies(const void *arg)
{
	raise(SIGKILL);
}

static void leaves(const void *arg)
{
	exit(0);
}

static void hangs(const void *arg)
{
	for (;;)
		pause();
}

/* --- memory --- */

static void leaks_slab(const void *arg)
{
	kzalloc(1, GFP_KERNEL);
}

static void leaks_kv(const void *arg)
{
	kvzalloc(1, GFP_KERNEL);
}

static void wrong_free(const void *arg)
{
	kfree(kvcalloc(1, 1, GFP_KERNEL));
}

/* Memory that was not asked to be zeroed is not. */
static void reads_fresh_memory(const void *arg)
{
	unsigned long *word = kmalloc(sizeof(*word), GFP_KERNEL);

	ASSERT(!*word);
}

static void sleeps_in_atomic(const void *arg)
{
	spin_lock_init(&lock);
	spin_lock(&lock);
	kzalloc(1, GFP_KERNEL);
}

/* --- locks --- */

static void takes_twice(const void *arg)
{
	spin_lock_init(&lock);
	spin_lock(&lock);
	spin_lock(&lock);
}

static void takes_both_ways(const void *arg)
{
	spin_lock_init(&lock);
	spin_lock(&lock);
	spin_unlock(&lock);
	spin_lock_irqsave(&lock, flags);
}

static void takes_uninitialized(const void *arg)
{
	spin_lock(&lock);
}

static void gives_untaken(const void *arg)
{
	spin_lock_init(&lock);
	spin_unlock(&lock);
}

static void restores_other_flags(const void *arg)
{
	spin_lock_init(&lock);
	spin_lock_irqsave(&lock, flags);
	spin_unlock_irqrestore(&lock, 0);
}

static void keeps_lock(const void *arg)
{
	spin_lock_init(&lock);
	spin_lock(&lock);
}

static void needs_lock(const void *arg)
{
	spin_lock_init(&lock);
	lockdep_assert_held(&lock);
}

/* --- CPUs --- */

static unsigned long bit;
static int __percpu *parts;

static void leaks_percpu(const void *arg)
{
	parts = alloc_percpu(int);
}

static void reads_no_part(const void *arg)
{
	parts = alloc_percpu(int);
	ktap_say("%d", *per_cpu_ptr(parts, SHIM_NR_CPUS));
}

static void reads_freed_part(const void *arg)
{
	parts = alloc_percpu(int);
	free_percpu(parts);
	ktap_say("%d", *per_cpu_ptr(parts, 0));
}

static void reads_beyond_part(const void *arg)
{
	parts = alloc_percpu(int);
	ktap_say("%d", per_cpu_ptr(parts, 0)[1]);
}

static void may_be_elsewhere(const void *arg)
{
	parts = alloc_percpu(int);
	ktap_say("%d", *this_cpu_ptr(parts));
}

static void takes_bit_preemptible(const void *arg)
{
	test_and_set_bit_lock(0, &bit);
}

static void takes_lock_in_bit(const void *arg)
{
	spin_lock_init(&lock);
	preempt_disable();
	test_and_set_bit_lock(0, &bit);
	spin_lock(&lock);
}

static void gives_untaken_bit(const void *arg)
{
	__clear_bit_unlock(0, &bit);
}

static void keeps_bit(const void *arg)
{
	preempt_disable();
	test_and_set_bit_lock(0, &bit);
}

static void keeps_preemption_off(const void *arg)
{
	preempt_disable();
}

static void enables_preemption_twice(const void *arg)
{
	preempt_enable();
}

static void keeps_interrupts_off(const void *arg)
{
	shim_irq_save();
}

static void moves_pinned(const void *arg)
{
	preempt_disable();
	shim_set_cpu(1);
}

static void nothing(void)
{
}

static void interrupts_when_off(const void *arg)
{
	shim_irq_save();
	shim_interrupt(shim_cpu(), nothing);
}

static void ends_interrupt_early(const void *arg)
{
	shim_interrupt(1, shim_preempt_disable);
}

static int down(unsigned int cpu)
{
	return 0;
}

static void keeps_callback(const void *arg)
{
	cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "self", NULL, down);
}

static void drops_last_reference(const void *arg)
{
	struct page page = { ._refcount = { 1 } };

	put_page(&page);
}

/* --- lists --- */

static void deletes_twice(const void *arg)
{
	lists();
	list_del(&entry);
	list_del(&entry);
}

static void adds_twice(const void *arg)
{
	lists();
	list_add(&entry, &head);
}

static void deletes_stranger(const void *arg)
{
	lists();
	entry.prev = &other;
	list_del(&entry);
}

static void adds_to_strangers(const void *arg)
{
	lists();
	head.next = &second;
	list_add(&third, &head);
}

/* --- messages --- */

static void says_unasked(const void *arg)
{
	pr_warn_ratelimited("hello\n");
}

static void says_under_lock(const void *arg)
{
	spin_lock_init(&lock);
	spin_lock(&lock);
	pr_warn_ratelimited("hello\n");
}

static void says_unended(const void *arg)
{
	pr_warn_ratelimited("hello");
}

/* --- what the core is checked with --- */

static void unsound_zone(const void *arg)
{
	struct arena arena;

	arena_init(&arena, 16, PMM_EXPAND_UPPER, 0);
	arena.zone.free_pages++;
	ASSERT_SOUND(&arena.zone);
}

static void overruns(const void *arg)
{
	memset(kzalloc(1, GFP_KERNEL), 0, arg ? 1 : 2);
}

static void shifts_too_far(const void *arg)
{
	ktap_say("%lu", 1UL << (arg ? 1 : 64));
}

/* --- how they are judged --- */

/* Run a test with its output kept, and return that. */
static char *run_kept(const struct ktap_test *test, unsigned int seconds, enum ktap_outcome outcome)
{
	static char text[65536];
	FILE *out = tmpfile();
	size_t len;

	ASSERT(out);
	ASSERT_EQ(ktap_run(test, seconds, out), outcome);
	rewind(out);
	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	fclose(out);
	return text;
}

static void self(const void *arg)
{
	const struct self_case *self_case = arg;
	const struct ktap_test test = { "self", self_case->run, NULL };
	unsigned int seconds = 60;

	if (self_case->outcome == KTAP_CRASHED && *self_case->says && !SANITIZED)
		ktap_skip("compiled without sanitizers");
	if (self_case->outcome == KTAP_TIMED_OUT)
		seconds = 1;
	ASSERT(strstr(run_kept(&test, seconds, self_case->outcome), self_case->says));
}

static const struct ktap_test good[] = {
	{ "good", passes, NULL },
	{ }
};

static const struct ktap_test mixed[] = {
	{ "bad", false_assertion, NULL },
	{ "none", skips, NULL },
	{ "fatal", dies, NULL },
	{ "good", passes, NULL },
	{ }
};

static const struct ktap_test none[] = {
	{ "none", skips, NULL },
	{ }
};

static int status;
static char **patterns = (char *[]){ NULL };

static void run_tables(const void *arg)
{
	status = ktap_run_tables((const struct ktap_test * const *)arg, patterns, 60);
	if (status)
		ktap_fail(__FILE__, __LINE__, "status %d", status);
}

/*
 * A run that has a failure is a failure, a run of skips too, and its output is KTAP to the last
 * line.
 */
static void self_run(const void *arg)
{
	static const struct ktap_test * const all[] = { mixed, good, NULL };
	static const struct ktap_test * const fine[] = { good, none, NULL };
	static const struct ktap_test * const idle[] = { none, NULL };
	struct ktap_test run = { "run", run_tables, all };
	char *text;

	ktap_stop = false;
	text = run_kept(&run, 60, KTAP_FAILED);
	ASSERT(strstr(text, "KTAP version 1\n1..5\n"));
	ASSERT(strstr(text, "not so: arg\nnot ok 1 bad\n"
			    "# skipped: for a reason\nok 2 none # SKIP\n"
			    "not ok 3 fatal # crashed\nok 4 good\nok 5 good\n"
			    "2 passed, 2 failed, 1 skipped\n"));
	run.arg = fine;
	ASSERT(strstr(run_kept(&run, 60, KTAP_PASSED), "1 passed, 0 failed, 1 skipped\n"));
	run.arg = idle;
	ASSERT(strstr(run_kept(&run, 60, KTAP_FAILED), "0 passed, 0 failed, 1 skipped\n"));
	patterns = (char *[]){ "go*", "nothing", NULL };
	run.arg = all;
	ASSERT(strstr(run_kept(&run, 60, KTAP_PASSED), "1..2\n"));
}

/* Up to the first failure, in whichever table. */
static void self_stop(const void *arg)
{
	static const struct ktap_test * const all[] = { good, mixed, good, NULL };
	struct ktap_test run = { "run", run_tables, all };

	ktap_stop = true;
	ASSERT(strstr(run_kept(&run, 60, KTAP_FAILED), "not ok 2 bad\n1 passed, 1 failed\n"));
}

/* The same seed and name give the same sequence; another of either gives another. */
static void print_random(const void *arg)
{
	ktap_say("%llx", ktap_random());
}

static void self_seed(const void *arg)
{
	struct ktap_test test = { "one", print_random, NULL };
	char first[64];

	snprintf(first, sizeof(first), "%s", run_kept(&test, 60, KTAP_PASSED));
	ASSERT_STR(run_kept(&test, 60, KTAP_PASSED), first);
	test.name = "two";
	ASSERT(strcmp(run_kept(&test, 60, KTAP_PASSED), first));
	test.name = "one";
	ktap_seed++;
	ASSERT(strcmp(run_kept(&test, 60, KTAP_PASSED), first));
}

#define CASE(name, ...)	{ name, self, &(const struct self_case){ __VA_ARGS__ } }

const struct ktap_test self_tests[] = {
	{ "self-run", self_run, NULL },
	{ "self-stop", self_stop, NULL },
	{ "self-seed", self_seed, NULL },
	CASE("self-passes", passes, KTAP_PASSED, ""),
	CASE("self-false-assertion", false_assertion, KTAP_FAILED, "not so: arg"),
	CASE("self-false-equality", false_equality, KTAP_FAILED, "got 2 (0x2), want 3 (0x3)"),
	CASE("self-false-text", false_text, KTAP_FAILED, "want 'that'"),
	CASE("self-skips", skips, KTAP_SKIPPED, "for a reason"),
	CASE("self-dies", dies, KTAP_CRASHED, ""),
	CASE("self-leaves", leaves, KTAP_CRASHED, ""),
	CASE("self-hangs", hangs, KTAP_TIMED_OUT, ""),
	CASE("self-leaks-slab", leaks_slab, KTAP_FAILED, "leak: 1 kmalloc"),
	CASE("self-leaks-kv", leaks_kv, KTAP_FAILED, "leak: 1 kvmalloc"),
	CASE("self-wrong-free", wrong_free, KTAP_FAILED, "the other kind"),
	CASE("self-reads-fresh-memory", reads_fresh_memory, KTAP_FAILED, "not so: !*word"),
	CASE("self-sleeps-in-atomic", sleeps_in_atomic, KTAP_FAILED, "allocation under a spinlock"),
	CASE("self-takes-twice", takes_twice, KTAP_FAILED, "taken twice"),
	CASE("self-takes-both-ways", takes_both_ways, KTAP_FAILED, "both ways"),
	CASE("self-takes-uninitialized", takes_uninitialized, KTAP_FAILED, "not initialized"),
	CASE("self-gives-untaken", gives_untaken, KTAP_FAILED, "unlock of a free lock"),
	CASE("self-restores-other-flags", restores_other_flags, KTAP_FAILED, "not those that"),
	CASE("self-keeps-lock", keeps_lock, KTAP_FAILED, "ends with a lock held"),
	CASE("self-needs-lock", needs_lock, KTAP_FAILED, "lock not held"),
	CASE("self-leaks-percpu", leaks_percpu, KTAP_FAILED, "leak: 1 per-CPU objects"),
	CASE("self-reads-no-part", reads_no_part, KTAP_FAILED, "no such CPU: 4"),
	CASE("self-reads-freed-part", reads_freed_part, KTAP_FAILED, "no such per-CPU object"),
	CASE("self-reads-beyond-part", reads_beyond_part, KTAP_CRASHED, "heap-buffer-overflow"),
	CASE("self-may-be-elsewhere", may_be_elsewhere, KTAP_FAILED, "with preemption on"),
	CASE("self-takes-bit-preemptible", takes_bit_preemptible, KTAP_FAILED, "preemption on"),
	CASE("self-takes-lock-in-bit", takes_lock_in_bit, KTAP_FAILED, "with a bit held"),
	CASE("self-gives-untaken-bit", gives_untaken_bit, KTAP_FAILED, "unlock of a free bit"),
	CASE("self-keeps-bit", keeps_bit, KTAP_FAILED, "ends with a lock held"),
	CASE("self-keeps-preemption-off", keeps_preemption_off, KTAP_FAILED, "preemption off"),
	CASE("self-enables-preemption", enables_preemption_twice, KTAP_FAILED, "on already"),
	CASE("self-keeps-interrupts-off", keeps_interrupts_off, KTAP_FAILED, "interrupts off"),
	CASE("self-moves-pinned", moves_pinned, KTAP_FAILED, "moved with preemption off"),
	CASE("self-interrupts-when-off", interrupts_when_off, KTAP_FAILED, "while they are off"),
	CASE("self-ends-interrupt-early", ends_interrupt_early, KTAP_FAILED, "in between ends"),
	CASE("self-keeps-callback", keeps_callback, KTAP_FAILED, "hotplug callback"),
	CASE("self-drops-last-reference", drops_last_reference, KTAP_FAILED, "last reference"),
	CASE("self-deletes-twice", deletes_twice, KTAP_FAILED, "deleted twice"),
	CASE("self-adds-twice", adds_twice, KTAP_FAILED, "inserted twice"),
	CASE("self-deletes-stranger", deletes_stranger, KTAP_FAILED, "deletion of a stranger"),
	CASE("self-adds-to-strangers", adds_to_strangers, KTAP_FAILED, "between strangers"),
	CASE("self-says-unasked", says_unasked, KTAP_FAILED, "no test expects: hello"),
	CASE("self-says-under-lock", says_under_lock, KTAP_FAILED, "message under a spinlock"),
	CASE("self-says-unended", says_unended, KTAP_FAILED, "without an end"),
	CASE("self-unsound-zone", unsound_zone, KTAP_FAILED, "16 pages free by state, 17"),
	CASE("self-overruns", overruns, KTAP_CRASHED, "heap-buffer-overflow"),
	CASE("self-shifts-too-far", shifts_too_far, KTAP_CRASHED, "shift exponent"),
	{ }
};
