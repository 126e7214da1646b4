#!/bin/sh
# @ORIGIN@
