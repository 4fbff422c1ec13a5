/* a /* b */ c */ select 1;;
#x
-- yselect $tag$ a;b $tag$, [a b]