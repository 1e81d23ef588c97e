/* Reading the files in which an application's settings are. */
#ifndef KURA_APP_SOURCES_H
#define KURA_APP_SOURCES_H

#include "template.h"

/* Reads all that the profile's "environment" and "settings" name into scene->settings. What is named first goes before
 * what comes later. */
int sources_read(Scene *scene, Error *err);

#endif
