if (!exists('picture')) picture = './cycles.svg'
set terminal svg size 680,460 font 'Helvetica,14' linewidth 1 background rgb '#ffffff'
set output picture
set encoding utf8
set border linecolor rgb '#444444'
set tics nomirror textcolor rgb '#000000'
set title textcolor rgb '#000000'
set xlabel textcolor rgb '#000000'
set ylabel textcolor rgb '#000000'
set cblabel textcolor rgb '#000000'
set multiplot

set origin 0.00000,0.00000
set size 1.00000,1.00000
set title '' noenhanced offset 0,0
set xlabel 'pre-training alignment μ' noenhanced
set ylabel 'noise scale γ' noenhanced
set bmargin 4.6
set tmargin 0.9
set rmargin -1
set grid linecolor rgb '#dddddd' linewidth 0.5 dashtype 1
set key bmargin center horizontal noenhanced samplen 2 width 1 maxcols 1 textcolor rgb '#000000'
unset arrow
unset label
set autoscale x
set autoscale y
unset logscale x
set format x '%g'
set xtics autofreq norotate
unset logscale y
set format y '%g'
set ytics autofreq norotate
set autoscale xfix
set offsets 0,0,0,0
set colorbox
unset logscale cb
set cblabel 'log₁₀ of the escape time' noenhanced offset 0.5,0
set palette defined (0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725')
set palette maxcolors 0
set cbtics autofreq
set rmargin -1
set autoscale cb
set xrange [0.29874999999999996:0.40125]
set yrange [0.18250000000000002:1.6175000000000002]
set style textbox opaque fillcolor rgb '#ffffff' noborder margins 0.6,0.4
unset grid
set label 'trapped' at first 0.3575,0.83 center front boxed noenhanced font ',11.2' textcolor rgb '#000000'
set label 'cycling' at first 0.34,1.11 center front boxed noenhanced font ',11.2' textcolor rgb '#000000'
plot './cycles.dat' index 0 with image pixels notitle, \
     './cycles.dat' index 1 with lines linewidth 2 dashtype 1 linecolor rgb '#000000' notitle, \
     './cycles.dat' index 2 with lines linewidth 2 dashtype (12,5) linecolor rgb '#D55E00' title 'A = 0'

unset multiplot
unset output
