/* What the faulty proxy does to which request. A rules file has one rule a line:
 *
 *   METHOD TARGET WHEN FAULT [ARGUMENT]...
 *
 * METHOD is one, several joined by '|', or "*"; TARGET is a pattern of fnmatch(3) for path and query as they were sent,
 * WHEN one of
 *
 *   always | first:K | nth:N | every:N    counting the requests that this rule's METHOD and TARGET fit
 *   once                                  the first time a method and target is seen, so that a repetition gets through
 *
 * and FAULT one of the FAULTS below. The first rule that fires wins; later ones do not count that request. Empty lines
 * and those that begin with '#' say nothing. */
#ifndef FAULTY_RULES_H
#define FAULTY_RULES_H

#include "kura/error.h"

/* FAULT(word, kind, arguments): n a number, t a word, s seconds of Retry-After, which may be missing.
 *
 * Answers of the proxy's own, once the request was read; the server never sees it:
 *   status N WORD [S]   status N, error code WORD
 *   early N WORD        the same before the body is read, and the connection is closed
 *   skew N              403 RequestTimeTooSkewed by a clock N seconds off
 *   region WORD         400 AuthorizationHeaderMalformed: this region is wanted
 *   redirect N WORD     status N, to location WORD (the target is appended)
 *   garbage             bytes that are no HTTP
 * No answer:
 *   close               closed before the body is read
 *   eat                 closed after it; the server never sees it
 *   lose                closed after the server did it and answered
 *   stall               neither reads nor answers
 * The server's answer, spoiled:
 *   reset               reset (RST) in the middle
 *   cut                 closed in the middle
 *   freeze              half of it, then nothing, and the connection stays
 *   claim N             a Content-Length N more (negative: less) than there is, then closed
 *   slow N              N bytes a second, both ways
 * The network, for all connections, N seconds from now:
 *   dark N              nothing gets through; afterwards everything does
 *   refuse N            connections are reset, new ones are refused */
#define FAULTS                                                                                                         \
    FAULT("status", FAULT_STATUS, "nts")                                                                               \
    FAULT("early", FAULT_EARLY, "nt")                                                                                  \
    FAULT("skew", FAULT_SKEW, "n")                                                                                     \
    FAULT("region", FAULT_REGION, "t")                                                                                 \
    FAULT("redirect", FAULT_REDIRECT, "nt")                                                                            \
    FAULT("garbage", FAULT_GARBAGE, "")                                                                                \
    FAULT("close", FAULT_CLOSE, "")                                                                                    \
    FAULT("eat", FAULT_EAT, "")                                                                                        \
    FAULT("lose", FAULT_LOSE, "")                                                                                      \
    FAULT("stall", FAULT_STALL, "")                                                                                    \
    FAULT("reset", FAULT_RESET, "")                                                                                    \
    FAULT("cut", FAULT_CUT, "")                                                                                        \
    FAULT("freeze", FAULT_FREEZE, "")                                                                                  \
    FAULT("claim", FAULT_CLAIM, "n")                                                                                   \
    FAULT("slow", FAULT_SLOW, "n")                                                                                     \
    FAULT("dark", FAULT_DARK, "n")                                                                                     \
    FAULT("refuse", FAULT_REFUSE, "n")

typedef enum FaultKind {
    FAULT_NONE,
#define FAULT(word, kind, arguments) kind,
    FAULTS
#undef FAULT
} FaultKind;

typedef struct Fault {
    FaultKind kind;
    const char *word; /* of FAULTS; "-" for none */
    long number;
    long seconds; /* 0: none */
    char text[256];
} Fault;

typedef struct Rules Rules;

/* The rules of a file, which is read again whenever it has changed (replace it by renaming). No file: no rules. */
Rules *rules_new(const char *path);
/* What is to be done to this request; thread-safe. -1 when the file is not as described above. */
int rules_apply(Rules *rules, const char *method, const char *target, Fault *ret, Error *err);

#endif
