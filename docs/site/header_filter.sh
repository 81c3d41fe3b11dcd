#!/bin/sh
# What Doxygen and Breathe misread in a header: instantiations, and several words behind \throws.
sed -e '/^extern template/,/;/d' -e 's/\\throws \([a-z_]*\), /\\throws \1 /' "$1"
