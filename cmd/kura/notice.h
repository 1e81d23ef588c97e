/* A run in words for people: the text of mails, notifications and pings. */
#ifndef KURA_CMD_NOTICE_H
#define KURA_CMD_NOTICE_H

#include "session.h"

/* "success", "warning" (done, with findings that need a person) or "failure". */
const char *notice_word(int status);
/* "kura: backup of misskey on shop.example: failure". To be freed. */
char *notice_subject(const Session *session, int status);
/* The same, with moments, figures, the error and the findings; at most PROGRAM_INPUT_MAX bytes. To be freed. */
char *notice_text(const Session *session, const RunRecord *run);

#endif
