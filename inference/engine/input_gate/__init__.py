"""What an ultrasound frame shows: a fetal head or not, in which plane, from about 18 weeks on or earlier."""
